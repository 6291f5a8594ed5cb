"""How the interpreter of a daemon is set: before anything else is imported, and for the whole process."""

import gc
import os

# The Temporal client's threads mostly wait for Python's lock: one of them does the same work for half the CPU.
CLIENT_THREADS = "1"
# Commands in hand are many and no cycles: to look through them often costs a tenth of everything.
GC_THRESHOLDS = (50_000, 20, 100)


def tune() -> None:
    """Set what the defaults get wrong for a daemon; TOKIO_WORKER_THREADS of the environment is kept."""
    os.environ.setdefault("TOKIO_WORKER_THREADS", CLIENT_THREADS)
    gc.set_threshold(*GC_THRESHOLDS)


def settle() -> None:
    """Leave what is there once the daemon stands out of all later collections: it is most of all, and it stays."""
    gc.collect()
    gc.freeze()

"""How the interpreter of a daemon is set: before anything else is imported, and for the whole process."""

import contextlib
import gc
import os
import random
import sys

# The Temporal client's threads mostly wait for Python's lock: one of them does the same work for half the CPU.
CLIENT_THREADS = "1"
# Commands in hand are many and no cycles: to look through them often costs a tenth of everything.
GC_THRESHOLDS = (50_000, 20, 100)
# How long the loop may keep Python's lock from a thread that wants it. It gives it up by itself wherever it reads or
# writes; to be asked for it in the middle of its work, 200 times a second, costs a twentieth of everything.
SWITCH_SECONDS = 0.02


def tune() -> None:
    """Set what the defaults get wrong for a daemon.

    TOKIO_WORKER_THREADS of the environment is kept, and the Temporal client then runs on whatever cores it likes.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)
    if "TOKIO_WORKER_THREADS" not in os.environ:
        os.environ["TOKIO_WORKER_THREADS"] = CLIENT_THREADS
        _keep_client_on_one_core()


def settle() -> None:
    """Leave what is there once the daemon stands out of all later collections: it is most of all, and it stays."""
    gc.collect()
    gc.freeze()


def _keep_client_on_one_core() -> None:
    """Begin the Temporal client's runtime on one of the cores that the process may use.

    Each answer is handed to Python by another of its threads, up to hundreds of them, and each waits for Python's lock.
    Where they are on one core the lock goes from one to the next with a switch; else a sleeping core must be woken each
    time, while the loop waits behind them: an eighth of a command's time.
    """
    if sys.platform != "linux":
        return
    from temporalio.runtime import Runtime  # noqa: PLC0415 - it reads TOKIO_WORKER_THREADS

    cores = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):  # where a sandbox forbids it the client runs all the same
        os.sched_setaffinity(0, {random.choice(sorted(cores))})  # noqa: S311 - no secret: spread over daemons
    Runtime.default()  # its thread, and all that this one begins later, stay where it was begun
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cores)

"""Leave at SIGTERM from the first moment on, until the program handles it in its own way.

The first process of a container is sent no signal that it does not handle: one that comes while modules are imported
would be lost, and the container killed after its grace. `first_process.pth` imports this when the interpreter starts.
"""

import os
import signal
import sys
from collections.abc import Collection

DAEMONS = frozenset({"run", "worker", "workers"})
BROKEN_OFF = 128 + signal.SIGTERM


def code(words: Collection[str]) -> int:
    """Return what to leave with: a daemon had begun nothing yet, and anything else was in the middle of it.

    Only daemons put a handler of their own in the place of this one: a job that ended with 0 would be taken for done.
    """
    return 0 if DAEMONS.intersection(words) else BROKEN_OFF


if os.getpid() == 1:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code(sys.orig_argv)))

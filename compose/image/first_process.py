"""Leave at SIGTERM from the first moment on, until the program handles it in its own way: nothing was begun yet.

The first process of a container is sent no signal that it does not handle: one that comes while modules are imported
would be lost, and the container killed after its grace. `first_process.pth` imports this when the interpreter starts.
"""

import os
import signal

if os.getpid() == 1:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

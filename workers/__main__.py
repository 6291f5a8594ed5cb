"""`python -m workers`."""

import os
import signal

FIRST_PROCESS = 1

if __name__ == "__main__":
    if os.getpid() == FIRST_PROCESS:  # of a container: a signal that nobody handles yet would be lost
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from workers import main  # takes a second

    main.main()

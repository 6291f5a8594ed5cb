"""Times as the feed counts them: whole milliseconds, since the epoch where they name a moment."""

import time
from datetime import timedelta

# Goes on while the machine sleeps, and nobody can set it; where there is no such clock, the other one does.
_RUNNING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_STARTED = time.time() - time.clock_gettime(_RUNNING)


def now_ms() -> int:
    """Return the time by this machine's clock as it was at the start of the process, and by what has passed since.

    A clock that leaps would move the watermark past runs that have not closed yet: their ends would never be told.
    """
    return int((_STARTED + time.clock_gettime(_RUNNING)) * 1000)


def ms(span: timedelta) -> int:
    """Return how long a time is, cut."""
    return span // timedelta(milliseconds=1)

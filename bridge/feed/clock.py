"""Times as the feed counts them: whole milliseconds, since the epoch where they name a moment."""

import time
from datetime import timedelta


def now_ms() -> int:
    """Return the time by this machine's clock."""
    return int(time.time() * 1000)


def ms(span: timedelta) -> int:
    """Return how long a time is, cut."""
    return span // timedelta(milliseconds=1)

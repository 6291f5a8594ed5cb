"""What was young when it was looked at is looked at once more: visibility may have shown some of it later."""

from datetime import timedelta

from bridge.feed import clock

AGE_MS = clock.ms(timedelta(seconds=60))
SPAN_MS = clock.ms(timedelta(seconds=10))
# The memory of what is announced reaches 2 minutes back from the watermark; what is older would be told again.
REMEMBERED_MS = clock.ms(timedelta(seconds=110))


class SecondLook:
    """Says which close times are due, in ms since the epoch; each once, when it is a minute old, ten seconds at a time.

    To look at the whole last minute once a minute would hold up the next sweep for long, where many runs end.
    """

    def __init__(self) -> None:
        self._from_ms = 0

    def begin(self, now_ms: int) -> None:
        """Note that everything is looked at from now on; the first sweep sees what is older than a minute for good."""
        self._from_ms = now_ms - AGE_MS

    def due(self, now_ms: int, watermark_ms: int) -> tuple[int, int] | None:
        """Return the time to look at again, or None where it is too early."""
        until_ms = now_ms - AGE_MS
        from_ms = max(self._from_ms, watermark_ms - REMEMBERED_MS)
        return (from_ms, until_ms) if until_ms - from_ms >= SPAN_MS else None

    def done(self, until_ms: int) -> None:
        """Note that this was looked at."""
        self._from_ms = until_ms

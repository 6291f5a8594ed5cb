"""Which ends are in the lifecycle topics: no more of them than fit into memory, and it is known what was left out."""

from dataclasses import dataclass
from datetime import timedelta

from bridge.feed import clock

KEPT_MS = clock.ms(timedelta(minutes=2))
ENDS_MAX = 300_000  # about 200 bytes each


@dataclass(frozen=True, slots=True)
class Span:
    """Close times that are looked at, in ms since the epoch, both included."""

    from_ms: int
    until_ms: int


class KnownEnds:
    """Event ids of ends, each with the time of the close in ms since the epoch.

    An owner that takes over after hours finds hours of them, in which it looks for a window at a time. So, where there
    are too many, those are dropped that closed long before the window, and the latest after it; what is inside is
    always kept whole, with the two minutes before it. Whoever then needs what was dropped reads the topics again from
    there: `covers` tells. At most `ends_max` are held, or what closed in a window and two minutes, if that is more.
    """

    def __init__(self, ends_max: int = ENDS_MAX) -> None:
        self._times: dict[bytes, int] = {}
        self._max = self._look_at = ends_max
        self._from_ms = 0
        self._before_ms: int | None = None

    def __len__(self) -> int:
        return len(self._times)

    def __contains__(self, event_id: bytes) -> bool:
        return event_id in self._times

    @property
    def is_cut(self) -> bool:
        """Whether late ends were dropped."""
        return self._before_ms is not None

    def add(self, event_id: bytes, closed_ms: int) -> None:
        """Note an end; those that were dropped for being late stay so."""
        if self._before_ms is None or closed_ms < self._before_ms:
            self._times[event_id] = closed_ms

    def covers(self, span: Span) -> bool:
        """Return whether nothing was dropped of what closed in that time."""
        return span.from_ms >= self._from_ms and (self._before_ms is None or span.until_ms < self._before_ms)

    def begin_again(self, from_ms: int) -> None:
        """Note that all that closed from a time on is about to be added again."""
        self._from_ms, self._before_ms = from_ms, None

    def bound(self, span: Span) -> None:
        """Drop what is furthest from a time, where there are too many ends."""
        if len(self) <= self._look_at:
            return
        from_ms = span.from_ms - KEPT_MS
        if any(closed_ms < from_ms for closed_ms in self._times.values()):
            self.forget_before(from_ms)
            self._from_ms = max(self._from_ms, from_ms)
        if len(self) > self._max:
            self._drop_after(span.until_ms)
        self._look_at = max(self._max, 2 * len(self))  # not again for each record, where nothing can be dropped

    def _drop_after(self, until_ms: int) -> None:
        later = sorted(closed_ms for closed_ms in self._times.values() if closed_ms > until_ms)
        kept = max(0, self._max // 2 - (len(self) - len(later)))
        if kept < len(later):
            before_ms = later[kept]
            self._times = {event_id: closed_ms for event_id, closed_ms in self._times.items() if closed_ms < before_ms}
            self._before_ms = before_ms

    def forget_before(self, oldest_ms: int) -> None:
        """Forget what nobody will look at again."""
        self._times = {event_id: closed_ms for event_id, closed_ms in self._times.items() if closed_ms >= oldest_ms}
        self._look_at = max(self._max, min(self._look_at, 2 * len(self)))

    def clear(self) -> None:
        """Forget everything."""
        self._times.clear()
        self._from_ms, self._before_ms, self._look_at = 0, None, self._max

"""The memory of the lifecycle feed: what the lifecycle topics already hold.

Read back from the topics themselves, so that it outlives every process, and tells what other instances wrote.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import timedelta
from typing import Any

from bridge.feed.knownends import KEPT_MS, KnownEnds, Span
from bridge.feed.reading import Offsets, Reading
from topics.lifecycle import State

KEPT = timedelta(milliseconds=KEPT_MS)
STARTS_MAX = 100_000  # in a generation, about 130 bytes each; commands older than so many are surely done
SLACK_MS = 1000  # between the time of a close that visibility tells and the one in the event

_STARTED = State.STARTED.event_type.encode()


class Announced:
    """Event ids: of ends each with the time of the close; starts in two generations, each of them bounded.

    A start has its command's time, which may be long ago, and is asked for soon after it was written, or never: it is
    forgotten by the time at which it was read, or when too many came after it.
    """

    def __init__(self, options: dict[str, Any], topics: Collection[str], ends: KnownEnds | None = None) -> None:
        self._topics = topics
        self._reading = Reading(options, topics)
        self._ends = KnownEnds() if ends is None else ends
        self._starts: set[bytes] = set()
        self._older_starts: set[bytes] = set()
        self._older_since = time.monotonic()
        self._unread: deque[tuple[float, Offsets]] = deque()  # where the topics ended, and when
        self.meanwhile: Callable[[], Awaitable[None]] = _nothing

    def __contains__(self, event_id: str) -> bool:
        """Return whether the event is in its topic."""
        name = event_id.encode()
        return name in self._ends or name in self._starts or name in self._older_starts

    @property
    def is_open(self) -> bool:
        """Whether it goes on from what was read before, also after an error."""
        return self._reading.is_open or not self._topics

    @property
    def is_whole(self) -> bool:
        """Whether it holds the latest ends too: not while it works through more than fits into memory."""
        return not self._ends.is_cut

    def add(self, event_id: str, time_ms: int) -> None:
        """Note an event that this process has written."""
        self._ends.add(event_id.encode(), time_ms)

    async def open(self, from_ms: int) -> None:
        """Begin to read at what has a timestamp of `from_ms` or later."""
        if self._topics:  # else no route announces anything
            await self._reading.open(from_ms)

    async def catch_up(self, span: Span | None = None) -> None:
        """Read all that is there now; raises `TimeoutError` where nothing could be read for 30 s.

        What was read until then stays, and the next call goes on from there. With a `span` of close times, ends far
        from it may be left out, so that memory is bounded; without one, everything is kept.
        """
        if not self._topics:
            return
        self._unread.clear()
        if span is not None:
            span = Span(span.from_ms - SLACK_MS, span.until_ms + SLACK_MS)
            if not self._ends.covers(span):
                await self._reading.rewind(span.from_ms)
                self._ends.begin_again(span.from_ms)

        def take(records: Iterable[Any]) -> None:
            self._take(records)
            if span is not None:
                self._ends.bound(span)

        await self._reading.catch_up(take, self.meanwhile)

    async def follow(self) -> None:
        """Read some of what is there, or of what comes within a moment."""
        await self._reading.follow(self._take)

    async def pass_over(self) -> None:
        """Leave unread what would be forgotten by now, had it been read when it came; raises where Kafka is away.

        For when nothing has closed: to read a start costs more than to write it.
        """
        if not self._topics:
            return
        self._unread.append((time.monotonic(), await self._reading.ends()))
        if time.monotonic() - self._unread[0][0] >= KEPT.total_seconds():
            await self._reading.skip(self._unread.popleft()[1])

    def forget_before(self, watermark_ms: int) -> None:
        """Forget what no sweep from `watermark_ms` on can meet again."""
        self._ends.forget_before(watermark_ms - KEPT_MS)
        # Not by the watermark: it stands still while nothing closes, and starts would pile up.
        if time.monotonic() - self._older_since >= KEPT.total_seconds():
            self._age_starts()

    async def close(self) -> None:
        """Stop reading, and forget everything."""
        self._ends.clear()
        self._starts.clear()
        self._older_starts.clear()
        self._unread.clear()
        await self._reading.close()

    def _age_starts(self) -> None:
        self._starts, self._older_starts = set(), self._starts
        self._older_since = time.monotonic()

    def _take(self, records: Iterable[Any]) -> None:
        for record in records:
            self._note(record.headers, record.timestamp)
        if len(self._starts) > STARTS_MAX:
            self._age_starts()

    def _note(self, headers: Iterable[tuple[str, bytes | None]], timestamp_ms: int) -> None:
        event_id = None
        for name, value in headers:  # ours come first, so this is faster than a dict of them all
            if name == "ce_id":
                event_id = value
            elif name == "ce_type" and event_id is not None:
                if value == _STARTED:
                    self._starts.add(event_id)
                else:
                    self._ends.add(event_id, timestamp_ms)
                return


async def _nothing() -> None:
    pass

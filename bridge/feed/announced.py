"""The memory of the lifecycle feed: what the lifecycle topics already hold.

Read back from the topics themselves, so that it outlives every process, and tells what other instances wrote.
"""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from topics.lifecycle import State

KEPT = timedelta(minutes=2)
READ_TIMEOUT_MS = 200
READ_AT_ONCE = 200  # records: 2 ms, in which no command goes on
CATCH_UP_TIMEOUT = timedelta(seconds=30)

_STARTED = State.STARTED.event_type.encode()


class Announced:
    """Event ids: of ends each with the time of the close, in ms since the epoch; starts in two generations.

    A start has its command's time, which may be long ago, and is asked for soon after it was written, or never: it is
    forgotten by the time at which it was read.
    """

    def __init__(self, options: dict[str, Any], topics: Collection[str]) -> None:
        self._options = options
        self._topics = topics
        self._consumer: AIOKafkaConsumer | None = None
        self._ends: dict[bytes, int] = {}
        self._starts: set[bytes] = set()
        self._older_starts: set[bytes] = set()
        self._older_since = time.monotonic()
        self._unread: deque[tuple[float, dict[TopicPartition, int]]] = deque()  # where the topics ended, and when

    def __contains__(self, event_id: str) -> bool:
        """Return whether the event is in its topic."""
        name = event_id.encode()
        return name in self._ends or name in self._starts or name in self._older_starts

    def add(self, event_id: str, time_ms: int) -> None:
        """Note an event that this process has written."""
        self._ends[event_id.encode()] = time_ms

    async def open(self, from_ms: int) -> None:
        """Begin to read at what has a timestamp of `from_ms` or later."""
        if not self._topics:
            return  # no route announces anything
        # Without a group the client assigns itself all partitions of the topics.
        consumer = AIOKafkaConsumer(
            *self._topics,
            **self._options,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        self._consumer = consumer  # before it starts, so that `close` also ends one that cannot
        await consumer.start()
        partitions = consumer.assignment()
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, from_ms)))
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            first = found.get(partition)
            consumer.seek(partition, first.offset if first is not None else ends[partition])

    async def catch_up(self) -> None:
        """Read all that is there now; raises `TimeoutError` where that takes longer than 30 s."""
        if not self._topics:
            return
        consumer = self._required()
        self._unread.clear()
        async with asyncio.timeout(CATCH_UP_TIMEOUT.total_seconds()):
            ends = await consumer.end_offsets(consumer.assignment())
            while behind := [tp for tp, end in ends.items() if await consumer.position(tp) < end]:
                batches = await consumer.getmany(*behind, timeout_ms=READ_TIMEOUT_MS, max_records=READ_AT_ONCE)
                for records in batches.values():
                    for record in records:
                        self._note(record.headers, record.timestamp)
                await asyncio.sleep(0)  # the client does not wait while it has something

    async def follow(self) -> None:
        """Read some of what is there, or of what comes within a moment."""
        batches = await self._required().getmany(timeout_ms=READ_TIMEOUT_MS, max_records=READ_AT_ONCE)
        for records in batches.values():
            for record in records:
                self._note(record.headers, record.timestamp)

    async def pass_over(self) -> None:
        """Leave unread what would be forgotten by now, had it been read when it came; raises as `catch_up` does.

        For when nothing has closed: to read a start costs more than to write it.
        """
        if not self._topics:
            return
        consumer = self._required()
        async with asyncio.timeout(CATCH_UP_TIMEOUT.total_seconds()):
            self._unread.append((time.monotonic(), await consumer.end_offsets(consumer.assignment())))
            if time.monotonic() - self._unread[0][0] >= KEPT.total_seconds():
                for partition, end in self._unread.popleft()[1].items():
                    if await consumer.position(partition) < end:
                        consumer.seek(partition, end)

    def _required(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the memory is asked to read before it is opened")
        return self._consumer

    def forget_before(self, watermark_ms: int) -> None:
        """Forget what no sweep from `watermark_ms` on can meet again."""
        oldest_ms = watermark_ms - KEPT // timedelta(milliseconds=1)
        self._ends = {event_id: time_ms for event_id, time_ms in self._ends.items() if time_ms >= oldest_ms}
        # Not by the watermark: it stands still while nothing closes, and starts would pile up.
        if time.monotonic() - self._older_since >= KEPT.total_seconds():
            self._starts, self._older_starts = set(), self._starts
            self._older_since = time.monotonic()

    async def close(self) -> None:
        """Stop reading, and forget everything."""
        consumer, self._consumer = self._consumer, None
        self._ends.clear()
        self._starts.clear()
        self._older_starts.clear()
        self._unread.clear()
        if consumer is not None:
            await consumer.stop()

    def _note(self, headers: Iterable[tuple[str, bytes | None]], timestamp_ms: int) -> None:
        event_id = None
        for name, value in headers:  # ours come first, so this is faster than a dict of them all
            if name == "ce_id":
                event_id = value
            elif name == "ce_type" and event_id is not None:
                if value == _STARTED:
                    self._starts.add(event_id)
                else:
                    self._ends[event_id] = timestamp_ms
                return

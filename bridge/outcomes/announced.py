"""The memory of the lifecycle feed: what the lifecycle topics already hold.

Read back from the topics themselves, so that it outlives every process, and tells what other instances wrote.
"""

import asyncio
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer

from topics.lifecycle import State

KEPT = timedelta(minutes=2)
READ_TIMEOUT_MS = 200
CATCH_UP_TIMEOUT = timedelta(seconds=30)


class Announced:
    """Event ids, each with the time that decides how long it is kept, in ms since the epoch.

    An end has the time of the close, a start the time at which it was read: a start has its command's time, which may
    be long ago, and is asked for soon after it was written, or never.
    """

    def __init__(self, options: dict[str, Any], topics: Collection[str]) -> None:
        self._options = options
        self._topics = topics
        self._consumer: AIOKafkaConsumer | None = None
        self._ends: dict[str, int] = {}
        self._starts: dict[str, int] = {}

    def __contains__(self, event_id: str) -> bool:
        """Return whether the event is in its topic."""
        return event_id in self._ends or event_id in self._starts

    def add(self, event_id: str, time_ms: int) -> None:
        """Note an event that this process has written."""
        self._ends[event_id] = time_ms

    async def open(self, from_ms: int) -> None:
        """Begin to read at what has a timestamp of `from_ms` or later."""
        if not self._topics:
            return  # no route announces anything
        # Without a group the client assigns itself all partitions of the topics.
        consumer = AIOKafkaConsumer(
            *self._topics, **self._options, isolation_level="read_committed", auto_offset_reset="earliest"
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
        if self._consumer is None:
            raise RuntimeError("the memory is asked to read before it is opened")
        async with asyncio.timeout(CATCH_UP_TIMEOUT.total_seconds()):
            ends = await self._consumer.end_offsets(self._consumer.assignment())
            while behind := [tp for tp, end in ends.items() if await self._consumer.position(tp) < end]:
                batches = await self._consumer.getmany(*behind, timeout_ms=READ_TIMEOUT_MS)
                for record in (record for records in batches.values() for record in records):
                    self._note(record.headers, record.timestamp)

    def forget_before(self, watermark_ms: int) -> None:
        """Forget what no sweep from `watermark_ms` on can meet again."""
        kept_ms = KEPT // timedelta(milliseconds=1)
        self._ends = _since(watermark_ms - kept_ms, self._ends)
        # Not by the watermark: it stands still while nothing closes, and starts would pile up.
        self._starts = _since(_now_ms() - kept_ms, self._starts)

    async def close(self) -> None:
        """Stop reading, and forget everything."""
        consumer, self._consumer = self._consumer, None
        self._ends.clear()
        self._starts.clear()
        if consumer is not None:
            await consumer.stop()

    def _note(self, headers: Collection[tuple[str, bytes | None]], timestamp_ms: int) -> None:
        attributes = dict(headers)
        event_id = attributes.get("ce_id")
        if event_id is None:
            return
        name = event_id.decode(errors="replace")
        if attributes.get("ce_type") == State.STARTED.event_type.encode():
            self._starts[name] = _now_ms()
        else:
            self._ends[name] = timestamp_ms


def _since(oldest_ms: int, times: dict[str, int]) -> dict[str, int]:
    return {event_id: time_ms for event_id, time_ms in times.items() if time_ms >= oldest_ms}


def _now_ms() -> int:
    return int(time.time() * 1000)

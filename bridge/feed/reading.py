"""Some topics, read to their ends time and again, without a group; a client that reads no more is replaced."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bridge import closing
from bridge.feed import pastdamage

READ_TIMEOUT_MS = 200
READ_AT_ONCE = 200  # records: 2 ms, in which no command goes on
STALLED_AFTER = timedelta(seconds=30)
ANSWER_TIMEOUT = timedelta(seconds=20)
STOP_TIMEOUT = timedelta(seconds=5)

Offsets: TypeAlias = dict[TopicPartition, int]
Take: TypeAlias = Callable[[Iterable[Any]], None]


class Reading:
    """All partitions of the topics, what is committed of them. Every wait for Kafka is bounded.

    They are paused while nobody reads: else the client would fetch ahead what may never be asked for, up to 1 MiB of
    each partition, and look for more twice a second.
    """

    def __init__(self, options: dict[str, Any], topics: Collection[str]) -> None:
        self._options = options
        self._topics = topics
        self._consumer: AIOKafkaConsumer | None = None
        self._positions: Offsets = {}
        self.is_open = False
        self._is_sound = False

    async def open(self, from_ms: int) -> None:
        """Begin at what has a timestamp of `from_ms`, in ms since the epoch, or later."""
        await self.close()
        await self._connect()
        await self.rewind(from_ms)
        self.is_open = True

    async def rewind(self, from_ms: int) -> None:
        """Go to what has a timestamp of `from_ms` or later; the end, where nothing has."""
        with self._doubting():
            consumer = await self._sound()
            partitions = consumer.assignment()
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                found = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, from_ms)))
                ends = await consumer.end_offsets(partitions)
            self._seek({tp: first.offset if (first := found.get(tp)) else ends[tp] for tp in partitions})

    async def ends(self) -> Offsets:
        """Return where the topics end now."""
        with self._doubting():
            consumer = await self._sound()
            async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
                return dict(await consumer.end_offsets(consumer.assignment()))

    async def skip(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Leave unread what stands before these offsets."""
        with self._doubting():
            at = await self._positions_of(offsets)
            self._seek({tp: offset for tp, offset in offsets.items() if at[tp] < offset})

    async def catch_up(self, take: Take, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Read up to where the topics end now, however much that is; `meanwhile` has its turn between two reads.

        Raises `TimeoutError` where nothing was read for 30 s, though there is something. The next time goes on where
        this one came to, with another client.
        """
        ends = await self.ends()
        with self._doubting(), self._fetching():
            self._positions |= await self._positions_of(ends)
            before, moved = dict(self._positions), time.monotonic()
            while behind := [tp for tp, end in ends.items() if self._positions[tp] < end]:
                await self._read(*behind, take=take)
                self._positions |= await self._positions_of(behind)
                if before != self._positions:
                    before, moved = dict(self._positions), time.monotonic()
                elif time.monotonic() - moved > STALLED_AFTER.total_seconds():
                    raise TimeoutError(f"nothing could be read for {STALLED_AFTER.total_seconds():g} s")
                await asyncio.sleep(0)  # the client does not wait while it has something
                await meanwhile()

    async def follow(self, take: Take) -> None:
        """Read some of what is there, or of what comes within a moment; what comes after it is fetched ahead."""
        consumer = self._required()
        consumer.resume(*consumer.assignment())
        await self._read(take=take)

    async def close(self) -> None:
        """Stop reading."""
        self.is_open = self._is_sound = False
        self._positions = {}
        await self._disconnect()

    async def _read(self, *partitions: TopicPartition, take: Take) -> None:
        found = await pastdamage.getmany(
            self._required(), *partitions, timeout_ms=READ_TIMEOUT_MS, max_records=READ_AT_ONCE
        )
        for records in found.values():
            take(records)

    async def _positions_of(self, partitions: Iterable[TopicPartition]) -> Offsets:
        consumer = self._required()
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            return {tp: await consumer.position(tp) for tp in partitions}

    def _seek(self, offsets: Offsets) -> None:
        for partition, offset in offsets.items():
            self._required().seek(partition, offset)
        self._positions |= offsets

    @contextlib.contextmanager
    def _fetching(self) -> Iterator[None]:
        consumer = self._required()
        consumer.resume(*consumer.assignment())
        try:
            yield
        finally:
            consumer.pause(*consumer.assignment())

    @contextlib.contextmanager
    def _doubting(self) -> Iterator[None]:
        try:
            yield
        except (KafkaError, TimeoutError):
            self._is_sound = False
            raise

    async def _sound(self) -> AIOKafkaConsumer:
        if not self._is_sound:
            if not self.is_open:
                raise RuntimeError("topics are to be read before they are opened")
            await self._disconnect()
            await self._connect()
            self._seek(self._positions)
        return self._required()

    async def _connect(self) -> None:
        # Without a group the client assigns itself all partitions of the topics.
        self._consumer = AIOKafkaConsumer(
            *self._topics,
            **self._options,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )  # before it starts, so that `close` also ends one that cannot
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            await self._consumer.start()
        self._consumer.pause(*self._consumer.assignment())
        self._is_sound = True

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
                    await closing.close(consumer)

    def _required(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("topics are to be read before they are opened")
        return self._consumer

"""A place in a group that shares one topic of one partition: who is given the partition, and what the topic holds."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from bridge import closing

SESSION_TIMEOUT_MS = 10_000
POLL_TIMEOUT_MS = 500
POLL_WITHIN = timedelta(seconds=60)  # a rebalance takes the session's timeout, and the broker's return
POLL_EVERY = timedelta(seconds=20)  # while there is other work
LOOK_EVERY = timedelta(seconds=30)
FETCHER_LOOK_MS = 1_000  # what the client's fetcher waits for wakes it, so its own looks are few
STALLED_AFTER = timedelta(seconds=20)
JOIN_TIMEOUT = timedelta(seconds=30)
ANSWER_TIMEOUT = timedelta(seconds=15)
STOP_TIMEOUT = timedelta(seconds=5)

Take: TypeAlias = Callable[[Sequence[Any]], None]


class _Turned(ConsumerRebalanceListener):
    """Notes that the client was sent back to the first record."""

    def __init__(self) -> None:
        self.is_back = True

    def on_partitions_revoked(self, _: object) -> None:
        """Do nothing: what is not written yet is found again."""

    def on_partitions_assigned(self, _: object) -> None:
        """Note it."""
        self.is_back = True


class Membership:
    """Hands each record of the topic to `take`. Every wait for Kafka is bounded; a client that fails is replaced."""

    def __init__(self, options: dict[str, Any], topic: str, take: Take) -> None:
        """Take the topic, whose name is also the group's."""
        self._options = options
        self._topic = topic
        self._take = take
        self._consumer: AIOKafkaConsumer | None = None
        self._turned = _Turned()
        self._polled = self._looked = 0.0  # by the monotonic clock

    @property
    def is_due(self) -> bool:
        """Whether it must be looked after, though there is other work: who is idle for 5 minutes is put out."""
        return time.monotonic() - self._polled >= POLL_EVERY.total_seconds()

    async def holds(self, timeout_ms: int = POLL_TIMEOUT_MS) -> bool:
        """Return whether the partition is ours, and read to its end then; joins the group where it has not.

        Raises `KafkaError` or `TimeoutError`; the next call begins with another client.
        """
        try:
            consumer = self._consumer or await self._join()
            await self._poll(consumer, timeout_ms)
            if not consumer.assignment():
                return False
            # After each rebalance the client begins at the first record again. And now and then, to see that it reads.
            if self._turned.is_back or time.monotonic() - self._looked >= LOOK_EVERY.total_seconds():
                await self._read_all(consumer)
        except (KafkaError, TimeoutError):
            await self.leave()
            raise
        return True

    def note_written(self) -> None:
        """Read to the end the next time: else what was written first would be taken after what was written last."""
        self._turned.is_back = True

    async def read_all(self) -> None:
        """Read to the end of the topic; raises `TimeoutError` where nothing comes for 20 s, though there is more."""
        await self._read_all(self._required())

    async def read_from(self, offset: int) -> None:
        """Read all from an offset on once more; raises as `read_all` does."""
        consumer = self._required()
        for partition in consumer.assignment():
            consumer.seek(partition, offset)
        await self._read_all(consumer)

    async def leave(self) -> None:
        """Leave the group, so that another member has the partition at once."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _stop(consumer)

    async def _join(self) -> AIOKafkaConsumer:
        self._turned = _Turned()
        consumer = AIOKafkaConsumer(
            **self._options,
            group_id=self._topic,
            client_id="kafka-temporal-bridge-feed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # nothing is committed: each owner reads the topic anew
            isolation_level="read_committed",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            consumer_timeout_ms=FETCHER_LOOK_MS,
        )
        consumer.subscribe([self._topic], listener=self._turned)
        try:
            async with asyncio.timeout(JOIN_TIMEOUT.total_seconds()):
                await consumer.start()
        except BaseException:
            await _stop(consumer)
            raise
        self._consumer = consumer
        return consumer

    async def _poll(self, consumer: AIOKafkaConsumer, timeout_ms: int, *partitions: TopicPartition) -> None:
        # A rebalance that does not end holds a poll without end. It is cancelled only where the client is done with:
        # that breaks the client's own watchdog.
        polling = asyncio.create_task(consumer.getmany(*partitions, timeout_ms=timeout_ms))
        try:
            done, _ = await asyncio.wait({polling}, timeout=POLL_WITHIN.total_seconds())
            if not done:
                raise TimeoutError(f"no poll of {self._topic} came back for {POLL_WITHIN.total_seconds():g} s")
            self._polled = time.monotonic()
            for records in polling.result().values():
                self._take(records)
        finally:
            polling.cancel()

    async def _read_all(self, consumer: AIOKafkaConsumer) -> None:
        self._turned.is_back = False
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            ends = await consumer.end_offsets(consumer.assignment())
        before, moved = await _positions(consumer, ends), time.monotonic()
        while behind := [tp for tp, end in ends.items() if before[tp] < end]:
            await self._poll(consumer, POLL_TIMEOUT_MS, *behind)
            now = await _positions(consumer, ends)
            if now != before:
                before, moved = now, time.monotonic()
            elif time.monotonic() - moved > STALLED_AFTER.total_seconds():
                raise TimeoutError(f"nothing of {self._topic} could be read for {STALLED_AFTER.total_seconds():g} s")
        self._looked = time.monotonic()

    def _required(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the election is asked before it is joined")
        return self._consumer


async def _positions(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
        return {tp: await consumer.position(tp) for tp in partitions}


async def _stop(consumer: AIOKafkaConsumer) -> None:
    with contextlib.suppress(TimeoutError, KafkaError):  # what ended the client's own tasks comes out here
        async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
            await closing.close(consumer)

"""Which command topics a person has paused: kept in a compacted topic that every process of the group reads."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bridge import errors
from bridge.command import rfc3339
from bridge.outcomes.event import OutRecord
from bridge.producer.outgoing import Outgoing

READ_TIMEOUT = timedelta(seconds=30)
FETCH_WAIT_MS = 10_000  # an idle process asks no more often
AGAIN_AFTER = timedelta(seconds=5)


class Pauses:
    """The paused topics. `read_all` before anything is consumed, then `run` to learn of what others pause."""

    def __init__(self, topic: str, consumer: AIOKafkaConsumer, outgoing: Outgoing) -> None:
        """Take the topic that keeps them, and a started consumer without a group."""
        self._tp = TopicPartition(topic, 0)
        self._consumer = consumer
        self._outgoing = outgoing
        self._paused: set[str] = set()
        self._is_there = False

    def holds(self, topic: str) -> bool:
        """Return whether a topic is paused."""
        return topic in self._paused

    async def set(self, topic: str, *, paused: bool) -> None:
        """Pause a topic, or let it go on; in effect here at once, in other processes within a second.

        Raises `ConfigurationError` where that cannot be kept, `KafkaAwayError`.
        """
        if not self._is_there and not await self._look():
            raise errors.ConfigurationError(f"{self._tp.topic} is not there: run `bridge setup apply`.")
        now = rfc3339(int(datetime.now(UTC).timestamp() * 1000))
        value = json.dumps({"paused_at": now}).encode() if paused else None
        await self._outgoing.send([OutRecord(self._tp.topic, topic.encode(), value, ())])
        self._take(topic.encode(), value)

    async def read_all(self) -> None:
        """Read what is kept; raises `ConnectError` where Kafka does not answer."""
        try:
            async with asyncio.timeout(READ_TIMEOUT.total_seconds()):
                if not await self._look():
                    return
                end = (await self._consumer.end_offsets([self._tp]))[self._tp]
                while await self._consumer.position(self._tp) < end:
                    self._take_all(await self._consumer.getmany(self._tp, timeout_ms=500))
        except (TimeoutError, KafkaError) as error:
            raise errors.ConnectError(
                f"{self._tp.topic} cannot be read ({type(error).__name__}), so what a person has paused is not known. "
                "See that Kafka is up, and that this account may read the topic."
            ) from error

    async def run(self) -> None:
        """Follow what is paused until cancelled."""
        while True:
            if not self._is_there and not await self._looked():
                await asyncio.sleep(AGAIN_AFTER.total_seconds())
                continue
            try:
                self._take_all(await self._consumer.getmany(self._tp, timeout_ms=FETCH_WAIT_MS))
            except KafkaError:  # it is told elsewhere that Kafka is away
                await asyncio.sleep(AGAIN_AFTER.total_seconds())

    async def _looked(self) -> bool:
        with contextlib.suppress(KafkaError):
            return await self._look()
        return False

    async def _look(self) -> bool:
        """Return whether the topic is there, and begin with its first record then."""
        if not self._is_there and self._tp.topic in await self._consumer.topics():
            self._is_there = True
            self._consumer.assign([self._tp])
            begins = await self._consumer.beginning_offsets([self._tp])
            self._consumer.seek(self._tp, begins[self._tp])
        return self._is_there

    def _take_all(self, batches: dict[TopicPartition, list[Any]]) -> None:
        for record in batches.get(self._tp, []):
            self._take(record.key, record.value)

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        topic = (key or b"").decode(errors="backslashreplace")
        if value is None:
            self._paused.discard(topic)
        else:
            self._paused.add(topic)


@contextlib.asynccontextmanager
async def opened(topic: str, options: dict[str, Any], outgoing: Outgoing) -> AsyncIterator[Pauses]:
    """Hold what is paused, read; `options` are those of `bridge.connect.kafka_options`. Raises `ConnectError`."""
    consumer = AIOKafkaConsumer(
        **options, isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
    )
    try:
        await consumer.start()
        pauses = Pauses(topic, consumer, outgoing)
        await pauses.read_all()
        yield pauses
    finally:
        await consumer.stop()

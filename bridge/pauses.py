"""Which command topics a person has paused: kept in a compacted topic that every process of the group reads."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bridge import closing, errors
from bridge.command import rfc3339
from bridge.feed import pastdamage
from bridge.feed.pastdamage import Batches
from bridge.outcomes.event import OutRecord
from bridge.producer.outgoing import Outgoing

READ_TIMEOUT = timedelta(seconds=30)
READ_WAIT_MS = 500
READ_AT_ONCE = 500  # records
FETCH_WAIT_MS = 10_000  # an idle process asks no more often
AGAIN_AFTER = timedelta(seconds=5)


class Pauses:
    """The paused topics, all known once it is entered; `run` learns of what others pause."""

    def __init__(self, topic: str, options: dict[str, Any], outgoing: Outgoing) -> None:
        """Take the topic that keeps them; `options` are those of `bridge.connect.kafka_options`."""
        self._tp = TopicPartition(topic, 0)
        self._options = options
        self._opened: AIOKafkaConsumer | None = None
        self._outgoing = outgoing
        self._paused: set[str] = set()
        self._is_there = False

    async def __aenter__(self) -> Self:
        """Read what is kept; raises `ConnectError` where Kafka does not answer."""
        self._opened = AIOKafkaConsumer(
            **self._options,
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            consumer_timeout_ms=FETCH_WAIT_MS,
        )
        try:
            async with asyncio.timeout(READ_TIMEOUT.total_seconds()):
                await self._consumer.start()
                await self._read_all()
        except (TimeoutError, KafkaError) as error:
            await closing.close(self._opened)
            raise errors.ConnectError(
                f"{self._tp.topic} cannot be read ({type(error).__name__}), so what a person has paused is not known. "
                "See that Kafka is up, and that this account may read the topic."
            ) from error
        except BaseException:
            await closing.close(self._opened)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        consumer, self._opened = self._consumer, None
        await closing.close(consumer)

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        if self._opened is None:
            raise errors.KafkaAwayError("What is paused is not read yet, or not any more: try again.")
        return self._opened

    def holds(self, topic: str) -> bool:
        """Return whether a topic is paused."""
        return topic in self._paused

    async def set(self, topic: str, *, paused: bool) -> None:
        """Pause a topic, or let it go on; in effect here at once, in other processes within a second.

        Raises `ConfigurationError` where that cannot be kept, `KafkaAwayError`.
        """
        if not await self._look():
            raise errors.ConfigurationError(f"{self._tp.topic} is not there: run `bridge setup apply`.")
        now = rfc3339(int(datetime.now(UTC).timestamp() * 1000))
        value = json.dumps({"paused_at": now}).encode() if paused else None
        await self._outgoing.send([OutRecord(self._tp.topic, topic.encode(), value, ())])
        self._take(topic.encode(), value)

    async def run(self) -> None:
        """Follow what is paused until cancelled."""
        while True:
            if not self._is_there and not await self._looked():
                await asyncio.sleep(AGAIN_AFTER.total_seconds())
                continue
            try:
                self._take_all(await self._read(FETCH_WAIT_MS))
            except KafkaError:  # it is told elsewhere that Kafka is away
                await asyncio.sleep(AGAIN_AFTER.total_seconds())

    async def _read_all(self) -> None:
        if not await self._look():
            return
        end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        while await self._consumer.position(self._tp) < end:
            self._take_all(await self._read(READ_WAIT_MS))

    async def _read(self, timeout_ms: int) -> Batches:
        return await pastdamage.getmany(self._consumer, self._tp, timeout_ms=timeout_ms, max_records=READ_AT_ONCE)

    async def _looked(self) -> bool:
        with contextlib.suppress(KafkaError):
            return await self._look()
        return False

    async def _look(self) -> bool:
        """Return whether the topic is there, and begin with its first record then."""
        consumer = self._consumer
        if not self._is_there and self._tp.topic in await consumer.topics():
            consumer.assign([self._tp])
            begins = await consumer.beginning_offsets([self._tp])
            consumer.seek(self._tp, begins[self._tp])
            self._is_there = True
        return self._is_there

    def _take_all(self, batches: Batches) -> None:
        for record in batches.get(self._tp, []):
            self._take(record.key, record.value)

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        topic = (key or b"").decode(errors="backslashreplace")
        if value is None:
            self._paused.discard(topic)
        else:
            self._paused.add(topic)

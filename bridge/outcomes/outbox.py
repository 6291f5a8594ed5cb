"""What goes out to Kafka: one idempotent producer; every send waits for its acknowledgement, within a bound.

A topic that is missing fails sooner than Kafka itself: the client would look for it, or hold what was given to it, for
as long as we let it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed, TopicAuthorizationFailedError

from bridge.errors import KafkaAwayError, TopicRefusedError
from bridge.outcomes import abandoning
from bridge.outcomes.event import OutRecord
from bridge.telemetry import logs
from bridge.telemetry.names import Log

REQUEST_BYTES_MAX = 2_621_440  # 2.5 MiB: a dead letter of 2 MiB with its headers
SEND_TIMEOUT = timedelta(seconds=15)
TOPIC_TIMEOUT = timedelta(seconds=3)

MISSING = "is not there: make it with `bridge setup apply`"
REFUSALS: dict[type[KafkaError], str] = {
    TopicAuthorizationFailedError: "may not be written by this account: let it Describe and Write that topic",
    MessageSizeTooLargeError: "refuses the size of a record: raise its max.message.bytes with `bridge setup apply`",
}
"""What the topic is to blame for, not the client and not the broker."""

log = logs.get(__name__)


class Outbox:
    """Writes records; a producer that met a fatal error is replaced by a new one."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, records: Sequence[OutRecord]) -> None:
        """Write the records; returns once Kafka has acknowledged all of them.

        Raises `TopicRefusedError` where one of the topics is to blame, else `KafkaAwayError`. After an error some
        records may be there all the same: write them again, their ids tell the copies.
        """
        try:
            async with asyncio.timeout(SEND_TIMEOUT.total_seconds()):
                try:
                    await self._attempt(records)
                except ProducerClosed:  # what another send met was the end of its producer: this one is not to blame
                    await self._attempt(records)
        except KafkaError as error:
            raise KafkaAwayError(f"{type(error).__name__}: {error}") from error
        except TimeoutError as error:
            seconds = SEND_TIMEOUT.total_seconds()
            raise KafkaAwayError(f"no acknowledgement within {seconds:g} s") from error

    async def _attempt(self, records: Sequence[OutRecord]) -> None:
        producer = await self._running()
        for topic in dict.fromkeys(record.topic for record in records):
            await _find(producer, topic)
        try:
            await _deliver(producer, records)
        except TopicRefusedError:
            await self._drop(producer)  # what it holds for that topic would be written later, beside a copy
            raise
        except KafkaError as error:
            if not error.retriable:
                await self._replace(producer, error)
            raise

    async def close(self) -> None:
        """Stop the producer; what is not acknowledged then is given up."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandoning.stop(producer)

    async def _running(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._options,
                    client_id="kafka-temporal-bridge",
                    enable_idempotence=True,
                    max_request_size=REQUEST_BYTES_MAX,
                    max_batch_size=128 * 1024,
                )
                try:
                    await producer.start()
                except BaseException:  # also when the time is over: what it had opened must not stay
                    await abandoning.stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _replace(self, broken: AIOKafkaProducer, error: KafkaError) -> None:
        if self._producer is broken:
            log.warning(Log.PRODUCER_REBUILT, error=f"{type(error).__name__}: {error}")
        await self._drop(broken)

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:  # else another send of it failed first: the new one is not to blame
            await self.close()


async def _find(producer: AIOKafkaProducer, topic: str) -> None:
    """Return once the client knows the topic; raises `TopicRefusedError` where Kafka answers that it has none."""
    cluster = producer.client.cluster
    if cluster.partitions_for_topic(topic) is not None:
        return
    try:
        async with asyncio.timeout(TOPIC_TIMEOUT.total_seconds()):
            await producer.partitions_for(topic)
    except TopicAuthorizationFailedError as error:
        raise TopicRefusedError(topic, REFUSALS[TopicAuthorizationFailedError]) from error
    except TimeoutError as error:
        if await producer.client.force_metadata_update():  # Kafka answers, so it is the topic
            raise TopicRefusedError(topic, MISSING) from error
        raise


async def _deliver(producer: AIOKafkaProducer, records: Sequence[OutRecord]) -> None:
    acknowledgements = {await _send(producer, record): record.topic for record in records}
    _, late = await asyncio.wait(acknowledgements, timeout=TOPIC_TIMEOUT.total_seconds())
    for acknowledgement in late:
        topic = acknowledgements[acknowledgement]
        if producer.client.cluster.partitions_for_topic(topic) is None:  # it was there when the client looked last
            raise TopicRefusedError(topic, MISSING)
    for acknowledgement, topic in acknowledgements.items():
        try:
            await acknowledgement
        except tuple(REFUSALS) as error:
            raise TopicRefusedError(topic, REFUSALS[type(error)]) from error


async def _send(producer: AIOKafkaProducer, record: OutRecord) -> "asyncio.Future[Any]":
    acknowledgement: asyncio.Future[Any] = await producer.send(
        record.topic,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
        timestamp_ms=record.timestamp_ms,
    )
    acknowledgement.add_done_callback(_look_at)
    return acknowledgement


def _look_at(acknowledgement: "asyncio.Future[Any]") -> None:
    if not acknowledgement.cancelled():
        acknowledgement.exception()  # one that came after we gave up is no news


@contextlib.asynccontextmanager
async def opened(options: dict[str, Any]) -> AsyncIterator[Outbox]:
    """Hold an outbox; `options` are those of `bridge.connect.kafka_options`."""
    outbox = Outbox(options)
    try:
        yield outbox
    finally:
        await outbox.close()

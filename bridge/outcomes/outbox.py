"""What goes out to Kafka: one idempotent producer; every send waits for its acknowledgement, within a bound."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from bridge.errors import KafkaAwayError
from bridge.outcomes.event import OutRecord
from bridge.telemetry import logs
from bridge.telemetry.names import Log

REQUEST_BYTES_MAX = 2_621_440  # 2.5 MiB: a dead letter of 2 MiB with its headers
SEND_TIMEOUT = timedelta(seconds=15)
STOP_TIMEOUT = timedelta(seconds=5)

log = logs.get(__name__)


class Outbox:
    """Writes records; a producer that met a fatal error is replaced by a new one."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, records: Sequence[OutRecord]) -> None:
        """Write the records; returns once Kafka has acknowledged all of them. Raises `KafkaAwayError`.

        After an error some may be there all the same: write them again, their ids tell the copies.
        """
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(SEND_TIMEOUT.total_seconds()):
                producer = await self._running()
                acknowledgements = [await _send(producer, record) for record in records]
                await asyncio.gather(*acknowledgements)
        except KafkaError as error:
            if producer is not None and not error.retriable:
                await self._replace(producer, error)
            raise KafkaAwayError(f"{type(error).__name__}: {error}") from error
        except TimeoutError as error:
            seconds = SEND_TIMEOUT.total_seconds()
            raise KafkaAwayError(f"no acknowledgement within {seconds:g} s") from error

    async def close(self) -> None:
        """Stop the producer; what is not acknowledged then is given up."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

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
                    await _stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _replace(self, broken: AIOKafkaProducer, error: KafkaError) -> None:
        if self._producer is not broken:
            return  # another send of it failed first: the new one is not to blame
        log.warning(Log.PRODUCER_REBUILT, error=f"{type(error).__name__}: {error}")
        await self.close()


async def _stop(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
            await producer.stop()


async def _send(producer: AIOKafkaProducer, record: OutRecord) -> "asyncio.Future[Any]":
    acknowledgement: asyncio.Future[Any] = await producer.send(
        record.topic,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
        timestamp_ms=record.timestamp_ms,
    )
    return acknowledgement


@contextlib.asynccontextmanager
async def opened(options: dict[str, Any]) -> AsyncIterator[Outbox]:
    """Hold an outbox; `options` are those of `bridge.connect.kafka_options`."""
    outbox = Outbox(options)
    try:
        yield outbox
    finally:
        await outbox.close()

"""The emitter that publishes to Kafka."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from temporalio.exceptions import ApplicationError

from workers.sdk import closedtransport
from workers.sdk.emitter import EmitError, Emitter
from workers.sdk.record import Record

ACK_TIMEOUT = timedelta(seconds=10)
STOP_TIMEOUT = timedelta(seconds=5)
REQUEST_BYTES_MAX = 5 * 1024 * 1024 // 2

log = logging.getLogger(__name__)


class KafkaEmitter(Emitter):
    """One idempotent producer, made anew when it has failed for good. Enter it before the workers start."""

    def __init__(self, *, ack_timeout: timedelta = ACK_TIMEOUT, **client_options: Any) -> None:
        """Take aiokafka's client options, such as `bootstrap_servers`, and how long to wait for an acknowledgement."""
        self._ack_seconds = ack_timeout.total_seconds()
        self._options = client_options
        self._producer: AIOKafkaProducer | None = None
        self._changing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect; raises `EmitError` if Kafka cannot be reached in time."""
        try:
            async with asyncio.timeout(self._ack_seconds):
                await self._started()
        except (TimeoutError, KafkaError) as error:
            raise EmitError(f"Kafka cannot be reached: {_reason(error)}.") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Send what is buffered, for a bounded time, and disconnect."""
        await self._discard(self._producer)

    async def _deliver(self, records: Sequence[Record]) -> None:
        producer: AIOKafkaProducer | None = None
        try:
            # An idempotent send waits for as long as the broker is away: bound it, the activity's policy repeats it.
            async with asyncio.timeout(self._ack_seconds):
                producer = await self._started()
                # What was handed over in order is acknowledged in order, so all may be under way at once.
                await asyncio.gather(*[await _hand_over(producer, record) for record in records])
        except MessageSizeTooLargeError as error:
            raise ApplicationError(
                f"Kafka will never take it: {error}", type="EventTooLarge", non_retryable=True
            ) from error
        except (TimeoutError, KafkaError) as error:
            # Some errors end a producer for good, a wedged one ends by none: whatever failed, the next is a new one.
            # What it still holds then does not arrive behind the copy that the retry sends.
            await self._discard(producer)
            topics = ", ".join(dict.fromkeys(record.topic for record in records))
            raise EmitError(f"Kafka did not take {len(records)} for {topics}: {_reason(error)}.") from error

    async def _started(self) -> AIOKafkaProducer:
        async with self._changing:
            if self._producer is None:
                self._producer = await self._connect()
            return self._producer

    async def _connect(self) -> AIOKafkaProducer:
        closedtransport.install()
        producer = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            acks="all",
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=round(self._ack_seconds * 1000),
        )
        try:
            await producer.start()
        except BaseException:
            await _stop(producer)
            raise
        return producer

    async def _discard(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None and self._producer is producer:
            self._producer = None
            await _stop(producer)


async def _hand_over(producer: AIOKafkaProducer, record: Record) -> "asyncio.Future[Any]":
    acknowledged: asyncio.Future[Any] = await producer.send(
        record.topic,
        record.value,
        key=record.key,
        headers=list(record.headers),
        timestamp_ms=record.timestamp_ms,
    )
    return acknowledged


async def _stop(producer: AIOKafkaProducer) -> None:
    """Send what is buffered for a while, then disconnect whatever is left."""
    try:
        async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
            await producer.stop()
    except (TimeoutError, KafkaError) as error:
        log.warning("A Kafka producer was stopped with events in hand (%s); they are sent again.", type(error).__name__)
        # stop() marks it closed first, so a second call does nothing: end its task and its connections ourselves.
        task = producer._sender.sender_task  # noqa: SLF001 -- there is no public way
        if task is not None:
            task.cancel()
        await producer.client.close()


def _reason(error: TimeoutError | KafkaError) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else str(error)

"""What goes out to Kafka: by one idempotent producer; every send waits for its acknowledgement, within a bound.

A topic that is missing fails sooner than Kafka itself: the client would look for it, or hold what was given to it, for
as long as we let it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from bridge.errors import KafkaAwayError, TopicRefusedError
from bridge.outcomes.event import OutRecord
from bridge.producer import abandoning, verdict
from bridge.producer.delivery import Delivery
from bridge.producer.lines import REQUEST_BYTES_MAX, TOPIC_THERE_WITHIN, Lines
from bridge.telemetry import logs
from bridge.telemetry.names import Log

BATCH_BYTES_MAX = 128 * 1024
BEGUN_WITHIN = timedelta(seconds=15)  # a producer started, the topics found

log = logs.get(__name__)


class Outbox:
    """Writes records; a producer that met a fatal error is replaced by a new one."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._lines: Lines | None = None
        self._one_by_one: set[str] = set()
        self._starting = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def send(self, records: Sequence[OutRecord]) -> None:
        """Write the records; returns once Kafka has acknowledged all of them.

        Raises `TopicRefusedError` where one of the topics is to blame, else `KafkaAwayError`. After an error some
        records may be there all the same: write them again, their ids tell the copies.
        """
        if not records:
            return
        lines = self._lines
        delivery = lines.take(records) if lines is not None else None
        if delivery is None:
            delivery = await self._begin(records)
        rest = await delivery.settled
        if rest:
            await self._send_again(rest)

    async def _send_again(self, records: Sequence[OutRecord]) -> None:
        """Write what was given back: its producer came to its end because of something else."""
        loop = asyncio.get_running_loop()
        until = loop.time() + BEGUN_WITHIN.total_seconds()
        while records:
            if loop.time() > until:
                raise KafkaAwayError(f"one producer after the other came to its end within {BEGUN_WITHIN.seconds} s")
            delivery = await self._begin(records)
            records = await delivery.settled

    async def _begin(self, records: Sequence[OutRecord]) -> Delivery:
        try:
            async with asyncio.timeout(BEGUN_WITHIN.total_seconds()):
                while True:
                    lines = await self._running()
                    for topic in dict.fromkeys(record.topic for record in records):
                        await _find(lines.producer, topic)
                        lines.open(topic)
                    if (delivery := lines.take(records)) is not None:
                        return delivery
        except KafkaError as error:
            raise KafkaAwayError(f"{type(error).__name__}: {error}") from error
        except TimeoutError as error:
            raise KafkaAwayError(f"no answer within {BEGUN_WITHIN.total_seconds():g} s") from error

    async def close(self) -> None:
        """Stop the producer; what is not acknowledged then is given up."""
        self._is_closed = True
        if self._lines is not None:
            self._lines.end()
        if self._stopping:
            await asyncio.wait(self._stopping)

    async def _running(self) -> Lines:
        async with self._starting:
            if self._is_closed:
                raise KafkaAwayError("the outbox was closed")
            if self._lines is None:
                producer = await self._started()
                self._lines = Lines(producer, self._one_by_one, self._ended)
            return self._lines

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._options,
            client_id="kafka-temporal-bridge",
            enable_idempotence=True,
            max_request_size=REQUEST_BYTES_MAX,
            max_batch_size=BATCH_BYTES_MAX,
        )
        try:
            await producer.start()
        except BaseException:  # also when the time is over: what it had opened must not stay
            await abandoning.stop(producer)
            raise
        if self._is_closed:
            await abandoning.stop(producer)
            raise KafkaAwayError("the outbox was closed")
        return producer

    def _ended(self, lines: Lines, error: BaseException | None) -> None:
        self._lines = None
        if error is not None:
            log.warning(Log.PRODUCER_REBUILT, error=f"{type(error).__name__}: {error}")
        abandoning.give_up(lines.producer)
        stopping = asyncio.create_task(abandoning.stop(lines.producer))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)


async def _find(producer: AIOKafkaProducer, topic: str) -> None:
    """Return once the client knows the topic; raises `TopicRefusedError` where Kafka answers that it has none."""
    if producer.client.cluster.partitions_for_topic(topic) is not None:
        return
    try:
        async with asyncio.timeout(TOPIC_THERE_WITHIN.total_seconds()):
            await producer.partitions_for(topic)
    except TopicAuthorizationFailedError as error:
        raise TopicRefusedError(topic, verdict.UNAUTHORISED) from error
    except TimeoutError as error:
        if await producer.client.force_metadata_update():  # Kafka answers, so it is the topic
            raise TopicRefusedError(topic, verdict.MISSING) from error
        raise


@contextlib.asynccontextmanager
async def opened(options: dict[str, Any]) -> AsyncIterator[Outbox]:
    """Hold an outbox; `options` are those of `bridge.connect.kafka_options`."""
    outbox = Outbox(options)
    try:
        yield outbox
    finally:
        await outbox.close()

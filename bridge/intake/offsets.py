"""What the intake asks Kafka about offsets, and the commit: each within a bound."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bridge.intake import progress
from bridge.intake.assignment import Assignment
from bridge.intake.watermark import Watermark
from bridge.telemetry import logs
from bridge.telemetry.names import Log

QUERY_TIMEOUT = timedelta(seconds=5)
COMMIT_TIMEOUT = timedelta(seconds=5)
POSITION_TIMEOUT = timedelta(seconds=1)

log = logs.get(__name__)


async def ends(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the log's ends; nothing where Kafka does not answer: then every record may have been handled before."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
            found: dict[TopicPartition, int] = await consumer.end_offsets(list(partitions))
    except (KafkaError, TimeoutError):
        return {}
    return found


async def done_before(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, progress.Done]:
    """Return what the owners before us did behind their last commits; what is not told is done again, without harm."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
            return await told(consumer, partitions)
    except (KafkaError, TimeoutError):
        return {}


async def told(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, progress.Done]:
    """Return what the group's last commits tell, of partitions that have one; raises `KafkaError`, without a bound."""
    coordinator: Any = consumer._coordinator  # noqa: SLF001 - the client's `committed` leaves the metadata out
    found = await coordinator.fetch_committed_offsets(list(partitions))
    return {tp: progress.decode(commit.offset, commit.metadata) for tp, commit in found.items()}


async def begins(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the log's begins; nothing where Kafka does not answer."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
            found: dict[TopicPartition, int] = await consumer.beginning_offsets(list(partitions))
    except (KafkaError, TimeoutError):
        return {}
    return found


async def begin(consumer: AIOKafkaConsumer, tp: TopicPartition) -> int:
    """Return where the group begins to read a partition: at its commit, else at the log's begin."""
    committed: int | None = await consumer.committed(tp)
    if committed is not None:
        return committed
    begins: dict[TopicPartition, int] = await consumer.beginning_offsets([tp])
    return begins[tp]


async def positions(consumer: AIOKafkaConsumer, assignment: Assignment) -> dict[TopicPartition, int]:
    """Return where the consumer is: control records leave gaps."""
    found: dict[TopicPartition, int] = {}
    try:
        async with asyncio.timeout(POSITION_TIMEOUT.total_seconds()):
            for tp in assignment.partitions:
                found[tp] = await consumer.position(tp)
    except (KafkaError, TimeoutError):
        pass  # a partition that is being moved or has no leader now: the next commit asks again
    return found


async def commit(consumer: AIOKafkaConsumer, moved: Mapping[TopicPartition, tuple[int, str]]) -> bool:
    """Commit offsets with their metadata; return whether the broker took them.

    Nothing is lost where it did not: the next commit covers it, or the next owner repeats it without a second effect.
    """
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT.total_seconds()):
            await consumer.commit(dict(moved))
    except (KafkaError, TimeoutError) as error:
        log.warning(Log.COMMIT_FAILED, error=str(error) or type(error).__name__)
        return False
    return True


async def answers(consumer: AIOKafkaConsumer) -> bool:
    """Return whether a broker answers, without a bound."""
    client: Any = consumer._client  # noqa: SLF001 - nothing that is public asks, where no partition is assigned
    found: bool = await client.force_metadata_update()
    return found


async def note(consumer: AIOKafkaConsumer, watermarks: Mapping[TopicPartition, Watermark]) -> bool:
    """Let the broker know what owners began, of partitions in which they may not get on; return whether it does."""
    notes = {tp: (one.committable, one.metadata) for tp, one in watermarks.items() if one.tries}
    return not notes or await commit(consumer, notes)


async def lag(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> int:
    """Return how many offsets the broker has behind the consumer's positions; raises `KafkaError`, `TimeoutError`."""
    async with asyncio.timeout(QUERY_TIMEOUT.total_seconds()):
        found: dict[TopicPartition, int] = await consumer.end_offsets(list(partitions))
        return sum([max(0, end - await consumer.position(tp)) for tp, end in found.items()])

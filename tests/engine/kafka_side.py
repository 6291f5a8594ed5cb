"""What the tests do with the real Apache Kafka: topics, records, and a wait with a bound."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from tests.servers import topics

WITHIN_SECONDS = 30.0
POLL_SECONDS = 0.02


def name(what: str) -> str:
    """Return a name that no other test has."""
    return f"engine-{what}-{uuid.uuid4().hex[:12]}"


async def make_topics(
    bootstrap: str, *names: str, partitions: int = 1, config: Mapping[str, str] | None = None
) -> None:
    await asyncio.to_thread(topics.make, bootstrap, *names, partitions=partitions, config=config)


async def delete_topics(bootstrap: str, *names: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names))
        async with asyncio.timeout(WITHIN_SECONDS):
            while {topic["topic"] for topic in await admin.describe_topics()} & set(names):  # noqa: ASYNC110 - the cluster tells nobody
                await asyncio.sleep(POLL_SECONDS)
    finally:
        await admin.close()


async def add_partitions(bootstrap: str, topic: str, total: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({topic: NewPartitions(total)})
    finally:
        await admin.close()


async def ends(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Return the end of each partition of a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        found: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        return found
    finally:
        await consumer.stop()


@contextlib.asynccontextmanager
async def producing(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def publish(bootstrap: str, topic: str, values: Sequence[bytes], partition: int = 0) -> None:
    async with producing(bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=partition)


async def read_all(bootstrap: str, topic: str) -> list["ConsumerRecord[Any, Any]"]:
    """Return every committed record of a topic of one partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        tp = TopicPartition(topic, 0)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        found: list[ConsumerRecord[Any, Any]] = []
        async with asyncio.timeout(WITHIN_SECONDS):
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=200)).values():
                    found += records
        return found
    finally:
        await consumer.stop()


async def committed(bootstrap: str, group: str, tp: TopicPartition) -> int | None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return offsets[tp].offset if tp in offsets else None


async def until(condition: Callable[[], object], what: str, within: float = WITHIN_SECONDS) -> None:
    """Wait for a condition, at most so many seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within:g} s: {what}"
        await asyncio.sleep(POLL_SECONDS)

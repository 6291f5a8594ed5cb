"""However large a topic is, only so much of it is looked through: counted, not timed."""

import asyncio
import contextlib
import json
import threading
import uuid
from collections.abc import AsyncIterator
from typing import Any

import confluent_kafka
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from bridge.command import Record
from bridge.intake import received
from bridge.lookup import reader
from bridge.lookup.reader import BLOCK, Bound, Reader
from tests.servers import topics
from tests.servers.fixtures import Kafka

RECORDS = 300_000
BEGIN_MS = 1_795_000_000_000
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def many(kafka: Kafka) -> str:
    """Give a topic of one partition with many records, a millisecond apart, each with its number as key."""
    name = f"many-{uuid.uuid4().hex[:8]}"
    topics.make(kafka.bootstrap, name, config={"retention.ms": "-1"})
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": kafka.bootstrap, "queue.buffering.max.messages": 2 * RECORDS, "linger.ms": 50}
    )
    for number in range(RECORDS):
        producer.produce(name, json.dumps({"n": number}), b"key-%d." % number, timestamp=BEGIN_MS + number)
    assert producer.flush(60) == 0
    return name


@contextlib.asynccontextmanager
async def reading(kafka: Kafka, topic: str) -> AsyncIterator[Reader]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        await reader.learn(consumer, [topic])
        yield Reader(consumer, {topic: 1})
    finally:
        await consumer.stop()


def has_key(number: int) -> "reader.Wanted":
    return lambda record: record.key == b"key-%d." % number


def numbers(found: list[Record]) -> list[int]:
    return [json.loads(record.value or b"")["n"] for record in found]


async def test_what_happened_at_a_time_is_found_by_looking_a_little_behind_it(kafka: Kafka, many: str) -> None:
    async with reading(kafka, many) as there:
        found = await there.after(
            TopicPartition(many, 0), [BEGIN_MS + 200_000], [b"key-200100."], has_key(200_100), Bound(20_000, 32 * MIB)
        )
    assert numbers(found) == [200_100]
    assert [(looked.records, looked.found) for looked in there.looked] == [(20_000, 1)]


async def test_what_lies_further_behind_is_not_looked_for(kafka: Kafka, many: str) -> None:
    async with reading(kafka, many) as there:
        tp = TopicPartition(many, 0)
        found = await there.after(tp, [BEGIN_MS], [b"key-250000."], has_key(250_000), Bound(20_000, 32 * MIB))
    assert (numbers(found), there.looked[0].records) == ([], 20_000)


async def test_times_that_lie_close_are_looked_at_once(kafka: Kafka, many: str) -> None:
    async with reading(kafka, many) as there:
        tp, times = TopicPartition(many, 0), [BEGIN_MS + number for number in (0, 10, 5_000)]
        await there.after(tp, times, [b"nothing"], lambda _: True, Bound(5_000, 32 * MIB))
    assert there.looked[0].records == 10_000


async def test_the_newest_are_looked_through_block_by_block_until_it_is_found(kafka: Kafka, many: str) -> None:
    number = RECORDS - 2 * BLOCK - 10
    async with reading(kafka, many) as there:
        tp, bound = TopicPartition(many, 0), Bound(200_000, 256 * MIB)
        found = await there.newest([tp], [b"key-%d." % number], has_key(number), bound)
    assert (numbers(found), there.looked[0].records) == ([number], 3 * BLOCK)


async def test_what_is_older_than_the_bound_is_not_found_and_the_rest_not_read(kafka: Kafka, many: str) -> None:
    async with reading(kafka, many) as there:
        tp, bound = TopicPartition(many, 0), Bound(200_000, 256 * MIB)
        found = await there.newest([tp], [b"key-1000."], has_key(1000), bound)
    assert (numbers(found), there.looked[0].records) == ([], 200_000)


async def test_bytes_bound_it_too(kafka: Kafka, many: str) -> None:
    async with reading(kafka, many) as there:
        tp = TopicPartition(many, 0)
        await there.after(tp, [BEGIN_MS], [b"nothing"], lambda _: True, Bound(RECORDS, MIB))
    assert 0 < there.looked[0].records < 50_000


async def test_a_place_is_read_alone(kafka: Kafka, many: str) -> None:
    async with reading(kafka, many) as there:
        record = await there.at(many, 0, 123_456)
        beyond = await there.at(many, 0, RECORDS)
    assert record is not None
    assert numbers([record]) == [123_456]
    assert beyond is None
    assert [looked.records for looked in there.looked] == [1, 0]


async def test_what_is_parsed_holds_up_nothing_else(kafka: Kafka, many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    plain = received.record

    def noted(record: "ConsumerRecord[Any, Any]") -> Record:
        threads.add(threading.get_ident())
        return plain(record)

    monkeypatch.setattr(received, "record", noted)
    async with reading(kafka, many) as there:
        assert await there.at(many, 0, 10) is not None
    assert len(threads) == 1
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_what_is_compressed_is_found_too(kafka: Kafka, codec: str) -> None:
    name = f"packed-{uuid.uuid4().hex[:8]}"
    await asyncio.to_thread(topics.make, kafka.bootstrap, name)
    producer = confluent_kafka.Producer({"bootstrap.servers": kafka.bootstrap, "compression.type": codec})
    for number in range(50):
        producer.produce(name, json.dumps({"n": number}), b"key-%d." % number)
    assert producer.flush(20) == 0
    async with reading(kafka, name) as there:
        tp, bound = TopicPartition(name, 0), Bound(100, MIB)
        assert numbers(await there.newest([tp], [b"key-7."], has_key(7), bound)) == [7]


async def test_what_a_transaction_took_back_is_not_there(kafka: Kafka) -> None:
    name = f"taken-back-{uuid.uuid4().hex[:8]}"
    await asyncio.to_thread(topics.make, kafka.bootstrap, name)
    producer = confluent_kafka.Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": name})
    producer.init_transactions(20)
    for number, is_kept in enumerate([True, False, True, False]):
        producer.begin_transaction()
        producer.produce(name, json.dumps({"n": number}), b"key-0.")
        producer.produce(name, json.dumps({"n": 100 + number}), b"other")
        if is_kept:
            producer.commit_transaction(20)
        else:
            producer.flush(20)
            producer.abort_transaction(20)
    async with reading(kafka, name) as there:
        tp, bound = TopicPartition(name, 0), Bound(100, MIB)
        assert numbers(await there.newest([tp], [b"key-0."], has_key(0), bound)) == [0, 2]

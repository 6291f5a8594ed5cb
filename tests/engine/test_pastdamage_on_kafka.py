"""A topic of events with a record that breaks the client, on a real Kafka: what is beside it is read."""

import asyncio
import struct

import aiokafka
import pytest
from aiokafka.record.util import calc_crc32c

from bridge.feed import pastdamage
from tests.engine import kafka_side
from tests.servers.fixtures import Kafka

TYPE = ("ce_type", b"workflow.completed")


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    """Give a topic: a sound event, one with a broken header name and one behind it in its batch, a sound one."""
    name = kafka_side.name("lifecycle")
    await kafka_side.make_topics(kafka.bootstrap, name)
    async with kafka_side.producing(kafka.bootstrap) as producer:
        await producer.send_and_wait(name, b"{}", partition=0, headers=[("ce_id", b"e-0"), TYPE])
        batch = producer.create_batch()
        batch.append(key=None, value=b"{}", timestamp=None, headers=[("ce_id", b"e-1"), TYPE, ("@@", b"1")])
        batch.append(key=None, value=b"{}", timestamp=None, headers=[("ce_id", b"e-2"), TYPE])
        data = bytearray(batch._build()).replace(b"@@", b"\xff\xfe")
        data[17:21] = struct.pack(">I", calc_crc32c(data[21:]))  # the batch's CRC covers what follows it
        batch._buffer = data
        await (await producer.send_batch(batch, name, partition=0))
        await producer.send_and_wait(name, b"{}", partition=0, headers=[("ce_id", b"e-3"), TYPE])
    return name


async def test_each_event_beside_a_header_name_that_is_not_utf_8_is_read_once(kafka: Kafka, topic: str) -> None:
    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ids: list[bytes | None] = []
        async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
            while len(ids) < 4:
                found = await pastdamage.getmany(consumer, timeout_ms=200, max_records=200)
                ids += [dict(record.headers)["ce_id"] for records in found.values() for record in records]
        assert ids == [b"e-0", b"e-1", b"e-2", b"e-3"]
        assert await pastdamage.getmany(consumer, timeout_ms=200, max_records=200) == {}
    finally:
        await consumer.stop()

"""Batches that nobody can parse, lying on a real broker's disk: their partition goes on."""

import asyncio
import struct
from collections.abc import Callable

import confluent_kafka
import pytest
from aiokafka.record.util import calc_crc32c

from bridge.command import BadRecord, Record
from bridge.intake import inflation
from tests.engine import kafka_side
from tests.engine.kafka_side import until
from tests.engine.test_intake_on_kafka import Station, value
from tests.servers.fixtures import Kafka

THREE_TIMES = 3 * inflation.INFLATED_BYTES_MAX
LENGTH_AT, CRC_AT, ATTRIBUTES_AT, HEADER_BYTES = 8, 17, 21, 61  # of a batch of version 2, the Kafka protocol guide


def batches(log: bytes | bytearray) -> list[int]:
    """Return where each batch of a log segment begins."""
    places, place = [], 0
    while place + HEADER_BYTES <= len(log):
        places.append(place)
        place += 12 + int(struct.unpack_from(">i", log, place + LENGTH_AT)[0])
    return places


def wrong_crc(log: bytearray, place: int) -> None:
    log[place + CRC_AT] ^= 0xFF


def unknown_compression(log: bytearray, place: int) -> None:
    log[place + ATTRIBUTES_AT + 1] |= 0x07
    end = place + 12 + struct.unpack_from(">i", log, place + LENGTH_AT)[0]
    struct.pack_into(">I", log, place + CRC_AT, calc_crc32c(bytes(log[place + ATTRIBUTES_AT : end])))


def broken_gzip(log: bytearray, place: int) -> None:
    log[place + ATTRIBUTES_AT + 1] |= 0x01
    end = place + 12 + struct.unpack_from(">i", log, place + LENGTH_AT)[0]
    struct.pack_into(">I", log, place + CRC_AT, calc_crc32c(bytes(log[place + ATTRIBUTES_AT : end])))


def damage(kafka: Kafka, topic: str, number: int, how: Callable[[bytearray, int], None]) -> None:
    """Stop the broker, change a batch on its disk, and start it again."""

    def change(content: bytes) -> bytes:
        log = bytearray(content)
        how(log, batches(log)[number])
        return bytes(log)

    kafka.stop()
    kafka.change_segment(topic, 0, change)
    kafka.start()
    kafka.wait_ready()


@pytest.mark.parametrize(
    ("how", "reason"),
    [(wrong_crc, "CRC"), (unknown_compression, "cannot be read"), (broken_gzip, "cannot be read")],
    ids=lambda one: getattr(one, "__name__", None),
)
async def test_a_batch_that_nobody_can_parse_becomes_one_dead_letter_and_the_partition_goes_on(
    kafka: Kafka, how: Callable[[bytearray, int], None], reason: str
) -> None:
    topic = kafka_side.name("damaged")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    for key in ("a", "b", "c"):
        await kafka_side.publish(kafka.bootstrap, topic, [value(key)])
    await asyncio.to_thread(damage, kafka, topic, 1, how)
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    async with station.running():
        await until(lambda: station.count == 3, "all three are worked on")
    assert station.worked == {0: [0, 1, 2]}
    bad = [content for content in station.contents if isinstance(content, BadRecord)]
    assert [(one.record.offset, one.reason.value, reason in one.detail) for one in bad] == [(1, "undecodable", True)]
    assert sound(bad[0].record)


@pytest.mark.parametrize("compression", ["gzip", "lz4", "zstd"])
async def test_a_batch_that_becomes_far_too_large_is_not_decompressed(kafka: Kafka, compression: str) -> None:
    inflation.bound()  # as the making of the daemon's broker does
    topic = kafka_side.name("bomb")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    await kafka_side.publish(kafka.bootstrap, topic, [value("a")])
    await asyncio.to_thread(
        send_compressed, kafka.bootstrap, topic, bytes(3 * inflation.INFLATED_BYTES_MAX), compression
    )
    await kafka_side.publish(kafka.bootstrap, topic, [value("c")])
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    async with station.running():
        await until(lambda: station.count == 3, "all three are worked on")
    bad = [content for content in station.contents if isinstance(content, BadRecord)]
    assert [(one.record.offset, one.reason.value, one.detail) for one in bad] == [
        (1, "undecodable", "record: the records 1 to 1 cannot be read: they become larger than 64 MiB")
    ]


def send_compressed(bootstrap: str, topic: str, large: bytes, compression: str) -> None:
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": bootstrap, "compression.type": compression, "message.max.bytes": 2 * len(large)}
    )
    producer.produce(topic, large, partition=0)
    assert producer.flush(60) == 0
    del producer


def sound(record: Record) -> bool:
    return bool(record.value) and record.headers == ()

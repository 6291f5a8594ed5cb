import asyncio
import json
import select
import signal
import struct
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO

import aiokafka
import confluent_kafka
import pytest
from aiokafka.record.util import calc_crc32c
from confluent_kafka.admin import AdminClient

from tests.cli.command_line import CommandLine
from tests.servers import topics
from tests.servers.fixtures import Kafka

BINARY = [
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_id", b"e-1"),
    ("ce_source", b"/tests"),
    ("ce_type", b"test.done"),
    ("ce_subject", b"s-1"),
    ("ce_time", b"2026-11-21T10:00:00Z"),
]


@pytest.fixture
def topic(kafka: Kafka) -> Iterator[str]:
    """Give a topic of one partition."""
    name = f"tail.{uuid.uuid4().hex[:8]}"
    topics.make(kafka.bootstrap, name)
    yield name
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.delete_topics([name])[name].result(20)


def write(
    kafka: Kafka, topic: str, value: bytes | None, headers: Sequence[tuple[str, bytes]] = (), key: bytes | None = b"k"
) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(topic, value, key, headers=list(headers))
    assert producer.flush(20) == 0


def test_a_record_is_shown_with_every_field(stack: CommandLine, kafka: Kafka, topic: str) -> None:
    write(kafka, topic, b'{"total": "1.10", "tax": 0.10}', BINARY)
    ended = stack.here("tail", topic, "--from-beginning", "-n", "1", "-o", "json")
    (row,) = ended.rows
    assert ended.code == 0
    assert datetime.fromisoformat(row.pop("timestamp")).tzname() == "UTC"
    assert row == {
        "topic": topic,
        "partition": 0,
        "offset": 0,
        "key": "k",
        "id": "e-1",
        "source": "/tests",
        "type": "test.done",
        "subject": "s-1",
        "time": "2026-11-21T10:00:00Z",
        "data": {"total": "1.10", "tax": 0.1},
    }


def test_structured_mode_and_bare_json_are_read_too(stack: CommandLine, kafka: Kafka, topic: str) -> None:
    event = {"specversion": "1.0", "id": "e-2", "source": "/tests", "type": "test.done", "data": [1]}
    write(kafka, topic, json.dumps(event).encode(), [("content-type", b"application/cloudevents+json")])
    write(kafka, topic, b'{"bare": true}')
    structured, bare = stack.here("tail", topic, "--from-beginning", "-n", "2", "-o", "json").rows
    assert (structured["id"], structured["type"], structured["data"]) == ("e-2", "test.done", [1])
    assert bare["id"].startswith(f"{topic}/0/1@")
    assert (bare["source"], bare["type"], bare["data"]) == (f"/kafka/{topic}", topic, {"bare": True})


def test_what_is_no_event_is_shown_as_far_as_it_can_be(stack: CommandLine, kafka: Kafka, topic: str) -> None:
    write(kafka, topic, None, key=None)
    write(kafka, topic, b"\xffnot json", BINARY, key=b"\xfe")
    tombstone, damaged = stack.here("tail", topic, "--from-beginning", "-n", "2", "-o", "json").rows
    assert (tombstone["key"], tombstone["data"]) == (None, None)
    assert (damaged["key"], damaged["id"], damaged["data"]) == ("\\xfe", "e-1", "\\xffnot json")


def test_nothing_of_a_record_reaches_the_terminal_raw(stack: CommandLine, kafka: Kafka, topic: str) -> None:
    write(kafka, topic, '{"a": "\\u001b[31m\u009b\u202e"}'.encode(), key=b"\x1b]0;title\x07")
    table = stack.here("tail", topic, "--from-beginning", "-n", "1").out
    lines = stack.here("tail", topic, "--from-beginning", "-n", "1", "-o", "json").out
    assert [character for character in table + lines if not character.isprintable() and character != "\n"] == []
    assert "\\x1b]0;title\\x07" in table


def test_it_begins_with_the_next_record_and_leaves_at_ctrl_c_with_0(
    stack: CommandLine, kafka: Kafka, topic: str
) -> None:
    write(kafka, topic, b'{"n": 1}')
    with stack.running("tail", topic, "-o", "json") as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        write_until_seen(kafka, topic, tail.stdout)
        tail.send_signal(signal.SIGINT)
        assert tail.wait(20) == 0
        assert tail.stderr.read() == b""


def write_until_seen(kafka: Kafka, topic: str, lines: IO[bytes]) -> None:
    """Write on, as the reader is ready some time after its start, until it shows a record: none but the first."""
    for number in range(2, 200):
        write(kafka, topic, json.dumps({"n": number}).encode())
        if select.select([lines], [], [], 0.2)[0]:
            assert json.loads(lines.readline())["data"]["n"] >= 2
            return
    pytest.fail("nothing was shown")


def test_unknown_topics_are_all_named(stack: CommandLine) -> None:
    ended = stack.here("tail", "invoice.event", "no.such.topic")
    assert (ended.code, ended.out) == (2, "")
    assert "invoice.event is not a topic of this Kafka; known are invoice.events" in ended.err
    assert "no.such.topic is not a topic of this Kafka" in ended.err


async def test_a_record_with_a_broken_header_name_does_not_stop_it(
    stack: CommandLine, kafka: Kafka, topic: str
) -> None:
    await write_broken_header_name(kafka, topic)
    write(kafka, topic, b'{"n": 3}')
    ended = await asyncio.to_thread(stack.run, "tail", topic, "--from-beginning", "-n", "3", "-o", "json")
    assert [row["offset"] for row in ended.rows] == [0, 1, 2]
    assert ended.rows[2]["data"] == {"n": 3}


async def write_broken_header_name(kafka: Kafka, topic: str) -> None:
    """Write a record whose header's name is not UTF-8 (no client does), and one behind it in the same batch."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        batch = producer.create_batch()
        batch.append(key=None, value=b'{"n": 1}', timestamp=None, headers=[("@@", b"1")])
        batch.append(key=None, value=b'{"n": 2}', timestamp=None)
        data = bytearray(batch._build()).replace(b"@@", b"\xff\xfe")
        data[17:21] = struct.pack(">I", calc_crc32c(data[21:]))  # the batch's CRC covers what follows it
        batch._buffer = data
        await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()

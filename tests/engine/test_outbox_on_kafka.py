"""What goes out to real Apache Kafka, as it was given; and a producer that is replaced once, by itself."""

import asyncio
import time
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import OutOfOrderSequenceNumber

from bridge.errors import KafkaAwayError, TopicRefusedError
from bridge.outcomes import outbox as outboxes
from bridge.outcomes import outgoing as outgoings
from bridge.outcomes.event import OutRecord
from bridge.outcomes.outbox import Outbox
from tests.engine import kafka_side
from tests.servers.fixtures import Kafka


async def test_records_are_written_as_they_are(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    headers = (("a", None), ("a", b"1"), ("a", b"1"), ("b", b"\xff"), ("", b""))
    written = [
        OutRecord(topic, b"\xff", b"\x00\xff", headers, 1_000),
        OutRecord(topic, None, b"", (), 2_000),
        OutRecord(topic, b"k", None, (), 3_000),
    ]
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send(written)
    found = await kafka_side.read_all(kafka.bootstrap, topic)
    assert [OutRecord(r.topic, r.key, r.value, tuple(r.headers), r.timestamp) for r in found] == written


async def test_a_dead_letter_of_2_mib_fits(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic, config={"max.message.bytes": str(2 * 1024 * 1024)})
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", bytes(2 * 1024 * 1024 - 1024), ())])
    assert len(await kafka_side.read_all(kafka.bootstrap, topic)) == 1


async def test_kafka_away_is_told_within_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "SEND_TIMEOUT", timedelta(seconds=0.5))
    async with outboxes.opened({"bootstrap_servers": "127.0.0.1:1"}) as outbox:
        with pytest.raises(KafkaAwayError):
            await outbox.send([OutRecord("t", b"k", b"v", ())])


async def test_a_producer_that_cannot_start_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[AIOKafkaProducer] = []

    class Starting(AIOKafkaProducer):
        async def start(self) -> None:
            await asyncio.Event().wait()

        async def stop(self) -> None:
            stopped.append(self)
            await super().stop()  # type: ignore[no-untyped-call]  # aiokafka has no types

    monkeypatch.setattr(outboxes, "AIOKafkaProducer", Starting)
    monkeypatch.setattr(outboxes, "SEND_TIMEOUT", timedelta(seconds=0.1))
    async with outboxes.opened({"bootstrap_servers": "127.0.0.1:1"}) as outbox:
        with pytest.raises(KafkaAwayError):
            await outbox.send([OutRecord("t", b"k", b"v", ())])
        assert len(stopped) == 1


async def test_a_fatal_error_that_is_told_late_leaves_the_new_producer_alone(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    outbox = Outbox({"bootstrap_servers": kafka.bootstrap})
    broken = await outbox._running()
    failure = OutOfOrderSequenceNumber()
    await outbox._replace(broken, failure)
    fresh = await outbox._running()
    await outbox._replace(broken, failure)
    assert await outbox._running() is fresh
    await outbox.send([OutRecord(topic, b"k", b"v", ())])
    await outbox.close()


async def test_a_missing_topic_is_told_at_once_to_all_but_the_first_and_slows_no_other(kafka: Kafka) -> None:
    letters, replies = kafka_side.name("missing") + ".dlq", kafka_side.name("replies")
    await kafka_side.make_topics(kafka.bootstrap, replies)
    letter, reply = OutRecord(letters, b"k", b"v", ()), OutRecord(replies, b"k", b"v", ())
    async with outgoings.opened({"bootstrap_servers": kafka.bootstrap}) as outgoing:
        with pytest.raises(TopicRefusedError, match="is not there: make it with `bridge setup apply`"):
            await outgoing.send([letter, reply])
        begun = time.monotonic()
        for _ in range(50):
            with pytest.raises(TopicRefusedError):
                await outgoing.send([letter, reply])
            await outgoing.send([reply])
        assert time.monotonic() - begun < 10  # one of them may have had to look again
    assert len(await kafka_side.read_all(kafka.bootstrap, replies)) == 50


async def test_a_topic_that_goes_while_its_producer_writes_is_told_and_leaves_no_copy(kafka: Kafka) -> None:
    topic = kafka_side.name("going")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", b"before", ())])
        await kafka_side.delete_topics(kafka.bootstrap, topic)
        with pytest.raises(TopicRefusedError):
            await outbox.send([OutRecord(topic, b"k", b"held", ())])
        await kafka_side.make_topics(kafka.bootstrap, topic)
        await outbox.send([OutRecord(topic, b"k", b"held", ())])
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)] == [b"held"]

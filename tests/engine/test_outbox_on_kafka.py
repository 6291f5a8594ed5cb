"""What goes out to real Apache Kafka, as it was given; and a producer that is replaced once, by itself."""

import asyncio
import collections
import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import murmur2

from bridge.errors import KafkaAwayError, TopicRefusedError
from bridge.outcomes.event import OutRecord
from bridge.producer import lines as all_lines
from bridge.producer import outbox as outboxes
from bridge.producer import outgoing as outgoings
from bridge.producer.lines import REQUEST_BYTES_MAX
from bridge.producer.outbox import Outbox
from bridge.telemetry.names import Log
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
        OutRecord(topic, None, None, (), 4_000),
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
    monkeypatch.setattr(outboxes, "BEGUN_WITHIN", timedelta(seconds=0.5))
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
    monkeypatch.setattr(outboxes, "BEGUN_WITHIN", timedelta(seconds=0.1))
    async with outboxes.opened({"bootstrap_servers": "127.0.0.1:1"}) as outbox:
        with pytest.raises(KafkaAwayError):
            await outbox.send([OutRecord("t", b"k", b"v", ())])
        assert len(stopped) == 1


async def test_a_fatal_error_replaces_the_producer_once_and_the_other_lines_do_not_notice(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt: list[str] = []
    monkeypatch.setattr(outboxes.log, "warning", lambda event, **_: rebuilt.append(event))
    broken, sound = kafka_side.name("broken"), kafka_side.name("sound")
    await kafka_side.make_topics(kafka.bootstrap, broken, sound)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(broken, b"k", b"0", ()), OutRecord(sound, b"k", b"0", ())])
        skip_a_sequence_number(outbox, broken)
        with pytest.raises(KafkaAwayError, match="OutOfOrderSequence"):
            await asyncio.gather(
                outbox.send([OutRecord(broken, b"k", b"1", ())]),
                *[outbox.send([OutRecord(sound, b"k", b"%d" % n, ())]) for n in range(1, 200)],
            )
        await outbox.send([OutRecord(broken, b"k", b"2", ())])
        await kafka_side.until(lambda: not outbox._stopping, "the broken producer is stopped")
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, broken)] == [b"0", b"2"]
    found = {record.value for record in await kafka_side.read_all(kafka.bootstrap, sound)}
    assert found == {b"%d" % n for n in range(200)}
    assert rebuilt == [Log.PRODUCER_REBUILT]


def skip_a_sequence_number(outbox: Outbox, topic: str) -> None:
    assert outbox._lines is not None
    outbox._lines.producer._txn_manager.increment_sequence_number(TopicPartition(topic, 0), 7)


async def test_what_a_producer_had_not_written_at_its_end_is_written_by_the_next(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", b"first", ())])
        ended = outbox._lines
        assert ended is not None
        sending = [asyncio.create_task(outbox.send([OutRecord(topic, b"k", b"%d" % n, ())])) for n in range(10)]
        await asyncio.sleep(0)
        ended.end()
        await asyncio.gather(*sending)
        assert outbox._lines is not ended
    found = collections.Counter(record.value for record in await kafka_side.read_all(kafka.bootstrap, topic))
    assert found == collections.Counter([b"first", *(b"%d" % n for n in range(10))])


async def test_what_many_send_at_once_arrives_once_and_in_the_order_in_which_it_was_sent(kafka: Kafka) -> None:
    topic, other = kafka_side.name("outbox"), kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic, other)
    numbers = iter(range(1, 3000))
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(t, b"k", b"0", ()) for t in (topic, other)])

        async def work() -> None:
            for n in numbers:
                await outbox.send([OutRecord(t, b"k", b"%d" % n, ()) for t in (topic, other)])

        await asyncio.gather(*[work() for _ in range(256)])
    for name in (topic, other):
        values = [record.value for record in await kafka_side.read_all(kafka.bootstrap, name)]
        assert values == [b"%d" % n for n in range(3000)]


async def test_a_sender_that_is_cancelled_takes_nobody_with_it(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", b"first", ())])
        sending = [asyncio.create_task(outbox.send([OutRecord(topic, b"k", b"%d" % n, ())])) for n in range(3)]
        await asyncio.sleep(0)
        sending[1].cancel()
        results = await asyncio.gather(*sending, return_exceptions=True)
        await outbox.send([OutRecord(topic, b"k", b"last", ())])
    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    values = [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)]
    assert [value for value in values if value != b"1"] == [b"first", b"0", b"2", b"last"]


async def test_a_record_that_its_topic_refuses_does_not_take_its_small_neighbours_with_it(kafka: Kafka) -> None:
    topic = kafka_side.name("small")
    await kafka_side.make_topics(kafka.bootstrap, topic, config={"max.message.bytes": "10000"})
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", b"0", ())])
        large = OutRecord(topic, b"k", bytes(20_000), ())
        results = await asyncio.gather(
            outbox.send([OutRecord(topic, b"k", b"1", ())]),
            outbox.send([large]),
            outbox.send([OutRecord(topic, b"k", b"2", ())]),
            return_exceptions=True,
        )
    assert [str(result) for result in results] == [
        "None",
        f"{topic} refuses the size of a record: raise its max.message.bytes with `bridge setup apply`",
        "None",
    ]
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)] == [b"0", b"1", b"2"]


async def test_records_that_their_topic_takes_only_one_by_one_all_arrive_once(kafka: Kafka) -> None:
    topic = kafka_side.name("small")
    await kafka_side.make_topics(kafka.bootstrap, topic, config={"max.message.bytes": "10000"})
    values = [b"%d" % n + bytes(8000) for n in range(5)]
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", value, ()) for value in values])
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)] == values


async def test_a_record_beyond_what_the_broker_is_asked_for_is_refused_by_itself(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic, config={"max.message.bytes": str(2 * REQUEST_BYTES_MAX)})
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        results = await asyncio.gather(
            outbox.send([OutRecord(topic, b"k", bytes(REQUEST_BYTES_MAX), ())]),
            outbox.send([OutRecord(topic, b"k", b"small", ())]),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [TopicRefusedError, type(None)]
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)] == [b"small"]


async def test_a_record_that_cannot_be_encoded_fails_alone(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        results = await asyncio.gather(
            outbox.send([OutRecord(topic, b"k", b"1", ())]),
            outbox.send([OutRecord(topic, b"k", b"2", (("good", b""), ("\ud800", b"")))]),
            outbox.send([OutRecord(topic, b"k", b"3", ())]),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [type(None), UnicodeEncodeError, type(None)]
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)] == [b"1", b"3"]


async def test_records_without_a_key_are_spread_over_the_partitions(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic, partitions=3)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, None, b"%d" % n, ()) for n in range(6)])
    assert {tp.partition: end for tp, end in (await kafka_side.ends(kafka.bootstrap, topic)).items()} == {
        0: 2,
        1: 2,
        2: 2,
    }


async def test_a_topic_that_got_more_partitions_is_written_as_every_other_producer_does(kafka: Kafka) -> None:
    topic = kafka_side.name("growing")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    keys = [b"%d" % n for n in range(20)]
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", b"", ())])
        await kafka_side.add_partitions(kafka.bootstrap, topic, 4)
        assert outbox._lines is not None
        await outbox._lines.producer.client.force_metadata_update()
        await outbox.send([OutRecord(topic, key, key, ()) for key in keys])
    expected = collections.Counter((murmur2(key) & 0x7FFFFFFF) % 4 for key in keys)
    expected[0] += 1
    assert {tp.partition: end for tp, end in (await kafka_side.ends(kafka.bootstrap, topic)).items()} == expected


async def test_what_a_frozen_kafka_does_not_acknowledge_is_told_and_the_line_goes_on_with_it(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_lines, "ACKNOWLEDGED_WITHIN", timedelta(seconds=0.3))
    monkeypatch.setattr(all_lines, "LOOK_EVERY", timedelta(seconds=0.1))  # Kafka must not miss its own session of 2 s
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", b"0", ())])
        with frozen(kafka):
            with pytest.raises(KafkaAwayError, match=r"no acknowledgement within 0\.3 s"):
                await outbox.send([OutRecord(topic, b"k", b"1", ())])
            with pytest.raises(KafkaAwayError, match=r"no acknowledgement within 0\.3 s"):
                await outbox.send([OutRecord(topic, b"k", b"2", ())])
        monkeypatch.setattr(all_lines, "ACKNOWLEDGED_WITHIN", timedelta(seconds=15))
        await outbox.send([OutRecord(topic, b"k", b"3", ())])
    # The client had the first already; the other had not begun.
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)] == [b"0", b"1", b"3"]


@contextlib.contextmanager
def frozen(kafka: Kafka) -> Iterator[None]:
    kafka.freeze()
    try:
        yield
    finally:
        kafka.thaw()


async def test_what_is_not_acknowledged_at_the_close_is_given_up(kafka: Kafka) -> None:
    topic = kafka_side.name("outbox")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([OutRecord(topic, b"k", b"written", ())])
        sending = asyncio.create_task(outbox.send([OutRecord(topic, b"k", b"given up", ())]))
        await asyncio.sleep(0)
    with pytest.raises(KafkaAwayError, match="the outbox was closed"):
        await sending
    assert [record.value for record in await kafka_side.read_all(kafka.bootstrap, topic)] == [b"written"]


async def test_nothing_is_sent_at_once() -> None:
    async with outboxes.opened({"bootstrap_servers": "127.0.0.1:1"}) as outbox:
        await outbox.send([])


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

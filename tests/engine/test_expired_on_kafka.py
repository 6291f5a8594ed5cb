"""Records that Kafka deleted before the group came to them are told of, to the offset."""

import asyncio
from collections.abc import Iterable, Mapping

import structlog.testing
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from bridge.telemetry.names import Log
from tests.engine import kafka_side
from tests.engine.test_intake_on_kafka import Station, value
from tests.servers.fixtures import Kafka


def delete_records(bootstrap: str, topic: str, before: int) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    (done,) = admin.delete_records([TopicPartition(topic, 0, before)]).values()
    done.result(60)


async def work(station: Station, count: int) -> None:
    async with station.running():
        await kafka_side.until(lambda: len(station.worked[0]) == count, f"{count} are done")
        await station.intake.finish()


def expired(logs: Iterable[Mapping[str, object]]) -> list[tuple[object, ...]]:
    return [(line["topic"], line["first"], line["last"]) for line in logs if line["event"] == Log.RECORDS_EXPIRED]


async def test_what_expired_unread_is_told_of_and_what_is_left_is_worked_on(kafka: Kafka) -> None:
    topic, group = kafka_side.name("expired"), kafka_side.name("group")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    await kafka_side.publish(kafka.bootstrap, topic, [value(f"first{n}") for n in range(2)])
    await work(Station(kafka.bootstrap, topic, group), 2)
    await kafka_side.publish(kafka.bootstrap, topic, [value(f"second{n}") for n in range(5)])
    await asyncio.to_thread(delete_records, kafka.bootstrap, topic, 4)
    station = Station(kafka.bootstrap, topic, group)
    with structlog.testing.capture_logs() as logs:
        await work(station, 3)
    assert (expired(logs), station.worked[0]) == ([(topic, 2, 3)], [4, 5, 6])


async def test_what_expires_under_a_member_whose_topic_is_paused_is_told_of_when_it_goes_on(kafka: Kafka) -> None:
    topic = kafka_side.name("expired")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    await kafka_side.publish(kafka.bootstrap, topic, [value(f"first{n}") for n in range(2)])
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    with structlog.testing.capture_logs() as logs:
        async with station.running():
            await kafka_side.until(lambda: len(station.worked[0]) == 2, "the first are done")
            station.holds_intake = True
            await kafka_side.until(lambda: station.intake.paused_partitions == 1, "the partition is paused")
            await kafka_side.publish(kafka.bootstrap, topic, [value(f"second{n}") for n in range(5)])
            await asyncio.to_thread(delete_records, kafka.bootstrap, topic, 4)
            station.holds_intake = False
            await kafka_side.until(lambda: bool(expired(logs)), "what expired is told of")
            await kafka_side.until(lambda: len(station.worked[0]) == 5, "the rest is done")
    assert (expired(logs), station.worked[0]) == ([(topic, 2, 3)], [0, 1, 4, 5, 6])

"""A consumer that is stuck is noticed by its progress."""

import asyncio
from datetime import timedelta
from typing import Any

from bridge.intake import watchdog
from tests.engine import kafka_side
from tests.engine.kafka_side import until
from tests.engine.test_intake_on_kafka import Station, value
from tests.servers.fixtures import Kafka

SOON = timedelta(milliseconds=100)
AFTER = timedelta(seconds=2)


async def test_a_consumer_whose_fetching_has_ended_is_stuck_once_records_are_there(kafka: Kafka) -> None:
    topic = kafka_side.name("stuck")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    async with station.running():
        await kafka_side.publish(kafka.bootstrap, topic, [value("a")])
        await until(lambda: station.count == 1, "the first is worked on")
        fetcher: Any = station.consumer._fetcher
        fetcher._fetch_task.cancel()  # as a defect of the client would
        watching = asyncio.create_task(watchdog.stuck(station.intake, look_every=SOON, after=AFTER))
        async with asyncio.timeout(30):
            while not watching.done():  # what was asked for already may still come
                await kafka_side.publish(kafka.bootstrap, topic, [value("b")])
        assert "none was taken for 2 s" in watching.result()


async def test_a_consumer_that_has_read_all_is_not_stuck(kafka: Kafka) -> None:
    topic = kafka_side.name("idle")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    async with station.running():
        await kafka_side.publish(kafka.bootstrap, topic, [value("a")])
        await until(lambda: station.count == 1, "it is worked on")
        watching = asyncio.create_task(watchdog.stuck(station.intake, look_every=SOON, after=SOON))
        polls = station.intake.polls
        await until(lambda: station.intake.polls > polls + 10, "ten polls that bring nothing")
        assert not watching.done()
        watching.cancel()

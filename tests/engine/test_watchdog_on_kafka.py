"""A consumer that is stuck is noticed by its progress."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.errors import GroupCoordinatorNotAvailableError

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


async def test_a_consumer_that_cannot_commit_is_stuck_once_kafka_answers(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = kafka_side.name("uncommitted")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    asked = 0

    async def no_commit(_moved: object) -> None:
        raise GroupCoordinatorNotAvailableError

    async def no_answer() -> int:
        nonlocal asked
        asked += 1
        raise TimeoutError

    async with station.running():
        monkeypatch.setattr(station.consumer, "commit", no_commit)  # as where the client's look for it has ended
        await kafka_side.publish(kafka.bootstrap, topic, [value("a")])
        await until(lambda: station.count == 1, "it is worked on")
        with monkeypatch.context() as away:
            away.setattr(station.intake, "unread", no_answer)
            watching = asyncio.create_task(watchdog.stuck(station.intake, look_every=SOON, uncommitted_after=AFTER))
            looks = 2 * AFTER / SOON
            await until(lambda: asked > looks, "it was looked at for twice the time")
            assert not watching.done()
        async with asyncio.timeout(30):
            assert "no commit succeeded for 2 s" in await watching

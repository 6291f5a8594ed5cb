"""What the daemon finds out by itself about its servers, and that it tells the truth in time."""

import asyncio
from datetime import timedelta

import pytest
import structlog
from temporalio.client import Client

from bridge import probe
from bridge.dispatch import failures
from bridge.dispatch.failures import OverloadedError, RefusedByTemporalError
from bridge.intake import offsets, watchdog
from bridge.probe import Probe
from bridge.telemetry.health import Health, Part
from tests.engine import kafka_side
from tests.engine.kafka_side import until
from tests.engine.temporal_side import Stage
from tests.engine.test_intake_on_kafka import Station, value
from tests.servers.fixtures import Kafka, Temporal

WITHIN = timedelta(seconds=10)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def test_whatever_is_wrong_shows_within_ten_seconds() -> None:
    assert probe.EVERY + probe.TIMEOUT < WITHIN
    assert watchdog.LOOK_EVERY + watchdog.SUSPECT_AFTER < WITHIN


async def test_a_temporal_that_answers_is_well(stage: Stage) -> None:
    health = Health({Part.TEMPORAL: "away"})
    await Probe(stage.client, yes, health).look_at_temporal()
    assert health.problems == {}


async def test_a_temporal_that_does_not_answer_is_away() -> None:
    health = Health()
    await Probe(await Client.connect("127.0.0.1:1", lazy=True), yes, health).look_at_temporal()
    assert list(health.problems) == [Part.TEMPORAL]


async def test_a_namespace_that_is_not_there_is_told_and_taken_back_when_it_is(
    prepared: Temporal, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = Health()
    looking = Probe(await Client.connect(prepared.address, namespace="nowhere"), yes, health)
    await looking.look_at_temporal()
    assert "nowhere" in health.problems[Part.CONFIGURATION]
    assert health.holds_intake
    monkeypatch.setattr(looking, "_client", stage.client)
    await looking.look_at_temporal()
    assert health.problems == {}


async def test_what_a_command_was_told_is_not_taken_back_by_a_look(stage: Stage) -> None:
    health = Health({Part.CONFIGURATION: "a search attribute is missing", Part.KAFKA: "no acknowledgement"})
    looking = Probe(stage.client, yes, health)
    await looking.look_at_temporal()
    await looking.look_at_kafka()
    assert list(health.problems) == [Part.CONFIGURATION, Part.KAFKA]


@pytest.mark.parametrize("answer", [OverloadedError("slow down"), RefusedByTemporalError("no")])
async def test_a_temporal_that_refuses_the_look_alone_is_not_away(
    prepared: Temporal, monkeypatch: pytest.MonkeyPatch, answer: Exception
) -> None:
    def meaning(_: object) -> None:
        raise answer

    monkeypatch.setattr(failures, "meaning", meaning)
    health = Health()
    await Probe(await Client.connect(prepared.address, namespace="nowhere"), yes, health).look_at_temporal()
    assert health.problems == {}


async def test_a_kafka_that_does_not_answer_is_told_and_taken_back_when_it_does(stage: Stage) -> None:
    health = Health()
    looking = Probe(stage.client, no, health)
    await looking.look_at_kafka()
    assert list(health.problems) == [Part.KAFKA]
    looking._kafka_answers = yes
    await looking.look_at_kafka()
    assert health.problems == {}


async def test_a_kafka_that_refuses_the_login_is_told_with_what_to_correct_until_it_answers(stage: Stage) -> None:
    async def refusal() -> str | None:
        return "Kafka at k:9093 refuses the login: correct KAFKA_SASL_PASSWORD."

    health = Health()
    looking = Probe(stage.client, no, health, kafka_refusal=refusal)
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            await looking.look_at_kafka()
    assert health.alerts == {"kafka login": await refusal()}
    assert [entry["problem"] for entry in logged if entry["event"] == "misconfigured"] == [await refusal()]

    looking._kafka_answers = yes
    await looking.look_at_kafka()
    assert (health.problems, health.alerts) == ({}, {})


async def test_a_kafka_that_says_nothing_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def mute() -> bool:
        return await asyncio.Event().wait()

    monkeypatch.setattr(probe, "TIMEOUT", timedelta(milliseconds=1))
    health = Health()
    await Probe(stage.client, mute, health).look_at_kafka()
    assert list(health.problems) == [Part.KAFKA]


async def test_a_broker_that_is_there_answers_a_consumer_also_without_partitions(kafka: Kafka) -> None:
    topic = kafka_side.name("answers")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    async with station.running():
        assert await offsets.answers(station.consumer)


async def test_a_consumer_that_takes_nothing_turns_readiness_red_within_ten_seconds_and_green_when_it_does(
    kafka: Kafka,
) -> None:
    topic = kafka_side.name("stuck")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"))
    async with station.running():
        await kafka_side.publish(kafka.bootstrap, topic, [value("a")])
        await until(lambda: station.count == 1 and station.health.ready, "the first is worked on")
        watching = asyncio.create_task(watchdog.stuck(station.intake))
        station.consumer.pause(*station.consumer.assignment())  # type: ignore[no-untyped-call]  # aiokafka has no types
        await kafka_side.publish(kafka.bootstrap, topic, [value("b")])
        async with asyncio.timeout(WITHIN.total_seconds()):
            while station.health.ready:  # noqa: ASYNC110 - health tells nobody
                await asyncio.sleep(kafka_side.POLL_SECONDS)
        assert "none was taken" in station.health.problems[Part.INTAKE]
        station.consumer.resume(*station.consumer.assignment())  # type: ignore[no-untyped-call]  # aiokafka has no types
        await until(lambda: station.health.ready and station.count == 2, "it goes on")
        watching.cancel()

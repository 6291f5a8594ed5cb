"""A record that ends the process is begun alone after some deaths, and put aside after some more."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiokafka import TopicPartition

from bridge.command import BadRecord, Command, Record, Skipped
from bridge.intake import care
from bridge.intake.decode import Decoder
from tests.engine import kafka_side
from tests.engine.kafka_side import until
from tests.engine.test_intake_on_kafka import Station, value
from tests.servers.fixtures import Kafka

DEADLY = "deadly"
DEATHS_MAX = care.TRIES_MAX + care.ALONE_MAX


class DeathError(Exception):
    """Stands for the end of the process: nothing is finished, nothing committed."""


@dataclass(frozen=True, slots=True)
class Mortal:
    """A decoder that dies of a record."""

    decoder: Decoder

    def decode(self, record: Record) -> Command | BadRecord | Skipped:
        if json.loads(record.value or b"{}").get("id") == DEADLY:
            raise DeathError
        return self.decoder.decode(record)


@dataclass
class Lives:
    """One process after another over the same group; `worked` is what all of them did."""

    bootstrap: str
    topic: str
    group: str
    deaths: int = 0
    worked: list[tuple[int, int]] = field(default_factory=list)
    put_aside: list[BadRecord] = field(default_factory=list)

    async def live(self, wanted: int) -> None:
        """Live and die until so many records are done."""
        while len(set(self.worked)) < wanted:
            station = Station(self.bootstrap, self.topic, self.group)
            station.intake.taking._decoder = Mortal(station.intake.taking._decoder)  # type: ignore[assignment]  # it decodes
            try:
                async with station.running():
                    await until(lambda: len(set(self.worked)) + station.count >= wanted, "all are done")  # noqa: B023 - called here
            except* DeathError:
                self.deaths += 1
            assert self.deaths <= DEATHS_MAX, "it dies again and again"
            self.worked += [(partition, offset) for partition, done in station.worked.items() for offset in done]
            self.put_aside += [content for content in station.contents if isinstance(content, BadRecord)]


@pytest.fixture
async def lives(kafka: Kafka) -> Lives:
    topic = kafka_side.name("care")
    await kafka_side.make_topics(kafka.bootstrap, topic, partitions=2)
    return Lives(kafka.bootstrap, topic, kafka_side.name("group"))


async def test_a_record_that_ends_the_process_is_put_aside_alone_and_its_neighbours_are_carried_out(
    lives: Lives,
) -> None:
    keys = ["a", "b", DEADLY, "c", "d"]
    await kafka_side.publish(lives.bootstrap, lives.topic, [value(key) for key in keys])
    await kafka_side.publish(lives.bootstrap, lives.topic, [value("e")] * 3, partition=1)
    await lives.live(8)
    assert {(one.record.partition, one.record.offset) for one in lives.put_aside} == {(0, 2)}
    assert lives.put_aside[0].record.value == value(DEADLY)
    assert "ended" in lives.put_aside[0].detail


async def test_a_group_that_has_just_begun_gets_over_its_first_record(lives: Lives) -> None:
    await kafka_side.publish(lives.bootstrap, lives.topic, [value(DEADLY)])
    await lives.live(1)
    assert (lives.deaths, len(lives.put_aside)) == (DEATHS_MAX, 1)


async def test_what_ends_well_says_nothing_against_any_record(lives: Lives) -> None:
    await kafka_side.publish(lives.bootstrap, lives.topic, [value("a")])
    for _ in range(DEATHS_MAX + 1):
        station = Station(lives.bootstrap, lives.topic, lives.group)
        station.held = {"engine-a"}
        async with station.running():
            await until(lambda: len(station.begun) == 1, "it is begun")  # noqa: B023 - called here
            station.release.set()
            await until(lambda: station.count == 1, "it is done")  # noqa: B023 - called here
            await station.intake.finish()
        await kafka_side.publish(lives.bootstrap, lives.topic, [value("a")])
        assert not any(isinstance(content, BadRecord) for content in station.contents)
    tp = TopicPartition(lives.topic, 0)
    assert await kafka_side.committed(lives.bootstrap, lives.group, tp) == DEATHS_MAX + 1


async def test_owners_that_end_well_before_anything_is_done_make_nobody_careful(lives: Lives) -> None:
    await kafka_side.publish(lives.bootstrap, lives.topic, [value("a")])
    for _ in range(DEATHS_MAX):
        leaving = Station(lives.bootstrap, lives.topic, lives.group)
        leaving.consumer.on_batch = leaving.intake.stop
        async with leaving.running() as polling:
            await asyncio.wait({polling})
            await leaving.intake.finish()
    station = Station(lives.bootstrap, lives.topic, lives.group)
    async with station.running():
        await until(lambda: station.health.ready, "it has its partitions")
        assert station.intake.taking.assignment.careful() is None


async def test_processes_that_are_killed_as_soon_as_they_stand_put_nothing_aside(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(care, "AGAIN_AFTER", timedelta(minutes=1))  # longer than any of them lives
    await kafka_side.publish(lives.bootstrap, lives.topic, [value("a"), value("b")])
    for _ in range(DEATHS_MAX + 3):
        station = Station(lives.bootstrap, lives.topic, lives.group)
        station.held = {"engine-a"}
        with contextlib.suppress(ExceptionGroup):  # of nothing but that error, which the type cannot tell
            async with station.running():
                await until(lambda: station.health.ready, "it stands")  # noqa: B023 - called here
                stood = time.monotonic()
                await until(lambda: station.begun or time.monotonic() - stood > 1, "it begins")  # noqa: B023 - called here
                raise DeathError
    monkeypatch.setattr(care, "AGAIN_AFTER", timedelta(seconds=1))
    station = Station(lives.bootstrap, lives.topic, lives.group)
    async with station.running():
        await until(lambda: station.count == 2, "both are done")
    assert not any(isinstance(content, BadRecord) for content in station.contents)

"""The intake on real Apache Kafka: order, commits, gaps, rebalances, back-pressure; nothing passed over."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from bridge.command import Command
from bridge.intake import watchdog
from bridge.intake.decode import Decoder
from bridge.intake.intake import Intake
from bridge.intake.item import Item, LaneKey
from bridge.intake.lanes import Lane
from bridge.routes import Route, Routes, Verb
from bridge.telemetry.health import Health, Part
from tests.engine import kafka_side
from tests.engine.kafka_side import until
from tests.servers.fixtures import Kafka


class Consumer(AIOKafkaConsumer):
    """A consumer that lets a test act when a poll has brought records, and hold the question for the log's ends."""

    on_batch: Callable[[], None] | None = None
    polled: asyncio.Event | None = None

    async def getmany(self, *partitions: TopicPartition, **options: Any) -> dict[Any, list["ConsumerRecord[Any, Any]"]]:
        batches: dict[Any, list[ConsumerRecord[Any, Any]]] = await super().getmany(*partitions, **options)
        if batches and self.on_batch is not None:
            self.on_batch()
        if batches and self.polled is not None:
            self.polled.set()
        return batches

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        if self.polled is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.polled.wait(), 2)
        ends: dict[TopicPartition, int] = await super().end_offsets(partitions)  # type: ignore[no-untyped-call]  # aiokafka has no types
        return ends


@dataclass
class Station:
    """An intake whose work is written down; `hold` keeps items in hand."""

    bootstrap: str
    topic: str
    group: str
    waiting_max: int = 10_000
    worked: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    begun: list[tuple[int, int]] = field(default_factory=list)
    contents: list[object] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    holds_intake: bool = False
    health: Health = field(default_factory=lambda: Health({Part.INTAKE: "not joined"}))

    def __post_init__(self) -> None:
        rows = [Route(command=self.topic, verb=Verb.SIGNAL, id="engine-{id}", signal="go")]
        self.intake = Intake(
            Decoder(Routes(rows)),
            self._work,
            in_flight_max=8,
            waiting_max=self.waiting_max,
            is_held=lambda _: self.holds_intake,
            health=self.health,
        )
        self.consumer = Consumer(  # type: ignore[no-untyped-call]  # aiokafka has no types
            bootstrap_servers=self.bootstrap,
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
            rebalance_timeout_ms=30_000,
            metadata_max_age_ms=1000,
        )

    async def _work(self, lane: Lane[LaneKey, Item]) -> timedelta | None:
        item = lane.items[0]
        record = item.content.record
        self.begun.append((record.partition, record.offset))
        self.contents.append(item.content)
        if isinstance(item.content, Command) and item.content.workflow_id in self.held:
            await self.release.wait()
        self.worked[record.partition].append(record.offset)
        item.done()
        return None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        self.consumer.subscribe([self.topic], listener=self.intake)  # type: ignore[no-untyped-call]  # aiokafka has no types
        await self.consumer.start()  # type: ignore[no-untyped-call]  # aiokafka has no types
        try:
            async with asyncio.TaskGroup() as group:
                lanes = group.create_task(self.intake.lanes.run())
                polling = group.create_task(self.intake.run(self.consumer))
                yield polling
                self.intake.stop()
                await asyncio.wait({polling})
                lanes.cancel()
        finally:
            await self.consumer.stop()  # type: ignore[no-untyped-call]  # aiokafka has no types

    @property
    def count(self) -> int:
        return sum(map(len, self.worked.values()))


def value(key: str) -> bytes:
    return json.dumps({"id": key}).encode()


@pytest.fixture
async def station(kafka: Kafka) -> Station:
    topic = kafka_side.name("intake")
    await kafka_side.make_topics(kafka.bootstrap, topic, partitions=2)
    return Station(kafka.bootstrap, topic, kafka_side.name("group"))


async def test_what_a_poll_brings_after_the_stop_is_left_for_the_next_owner(station: Station) -> None:
    station.consumer.on_batch = station.intake.stop
    await kafka_side.publish(station.bootstrap, station.topic, [value("a")] * 3)
    async with station.running() as polling:
        await asyncio.wait({polling})
        await station.intake.finish()
    assert station.count == 0
    assert await kafka_side.committed(station.bootstrap, station.group, TopicPartition(station.topic, 0)) in (None, 0)


async def test_a_log_that_goes_back_has_its_consumer_replaced_and_nothing_committed_of_the_old_one(
    station: Station,
) -> None:
    tp = TopicPartition(station.topic, 0)
    await kafka_side.publish(station.bootstrap, station.topic, [value("a")] * 3)
    async with station.running() as polling:
        await until(lambda: station.count == 3, "all are done")
        await station.intake.committing.commit()
        station.consumer.seek(tp, 1)  # type: ignore[no-untyped-call]  # as the client does when its position is gone
        found = await watchdog.stuck(station.intake, look_every=timedelta(milliseconds=50))
        assert (found, polling.done(), station.count) == (f"{station.topic}/0 has gone back to offset 1", False, 3)
    assert await kafka_side.committed(station.bootstrap, station.group, tp) == 3


async def test_what_a_poll_brings_before_the_assignment_is_known_is_not_passed_over(station: Station) -> None:
    other = Station(station.bootstrap, station.topic, station.group)
    async with station.running():
        await until(lambda: station.health.ready, "the first assignment")
        station.consumer.polled = asyncio.Event()
        async with other.running():
            for partition in (0, 1):
                await kafka_side.publish(station.bootstrap, station.topic, [value("a"), value("b")], partition)
            await until(lambda: station.count + other.count >= 4, "every record is worked on")
    assert {**station.worked, **other.worked} == {0: [0, 1], 1: [0, 1]}


async def test_records_of_a_key_are_worked_on_in_the_order_of_their_offsets(station: Station) -> None:
    keys = [f"k{number % 3}" for number in range(60)]
    await kafka_side.publish(station.bootstrap, station.topic, [value(key) for key in keys])
    async with station.running():
        await until(lambda: station.count == 60, "every record is worked on")
    for key in set(keys):
        mine = [offset for _, offset in station.begun if keys[offset] == key]
        assert mine == sorted(mine)


async def test_nothing_past_an_unfinished_record_is_committed(station: Station) -> None:
    station.held = {"engine-stuck"}
    await kafka_side.publish(station.bootstrap, station.topic, [value("a"), value("stuck"), *[value("b")] * 5])
    tp = TopicPartition(station.topic, 0)
    async with station.running():
        await until(lambda: station.count == 6, "the others are worked on")
        await station.intake.committing.commit()
        assert await kafka_side.committed(station.bootstrap, station.group, tp) == 1
        station.release.set()
        await until(lambda: station.count == 7, "all are worked on")
        await station.intake.committing.commit()
    assert await kafka_side.committed(station.bootstrap, station.group, tp) == 7


async def test_what_is_not_done_is_worked_on_again_and_what_is_done_behind_it_is_not(station: Station) -> None:
    station.held = {"engine-stuck"}
    await kafka_side.publish(station.bootstrap, station.topic, [value("a"), value("stuck"), value("b")])
    async with station.running():
        await until(lambda: station.count == 2, "the others are worked on")
        await station.intake.committing.commit()
    again = Station(station.bootstrap, station.topic, station.group)
    async with again.running():
        await until(lambda: again.count == 1, "what is left is worked on")
        await kafka_side.publish(station.bootstrap, station.topic, [value("c")])
        await until(lambda: again.count == 2, "what came since is worked on")
    assert again.worked[0] == [1, 3]


async def test_the_end_of_the_log_is_committed_over_transaction_markers(station: Station) -> None:
    async with kafka_side.producing(station.bootstrap, transactional_id=station.group) as producer:
        async with producer.transaction():
            await producer.send(station.topic, value("a"), partition=0)
        with contextlib.suppress(ZeroDivisionError):
            async with producer.transaction():
                await producer.send(station.topic, value("aborted"), partition=0)
                raise ZeroDivisionError
    tp = TopicPartition(station.topic, 0)
    async with station.running():
        await until(lambda: station.count == 1, "the committed record is worked on")
        async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
            while await kafka_side.committed(station.bootstrap, station.group, tp) != 4:
                await station.intake.committing.commit()
    assert station.worked == {0: [0]}


async def finish_when_revoked(station: Station) -> None:
    await until(lambda: not station.intake.taking.is_on, "the partitions are being revoked")
    station.release.set()


async def test_a_revoked_partition_is_drained_and_committed_first(station: Station) -> None:
    station.held = {"engine-slow"}
    for partition in (0, 1):
        await kafka_side.publish(station.bootstrap, station.topic, [value("slow"), value("slow")], partition)
    other = Station(station.bootstrap, station.topic, station.group)
    async with station.running():
        await until(lambda: len(station.begun) == 2, "the first of each partition is in hand")
        async with asyncio.TaskGroup() as group:
            group.create_task(finish_when_revoked(station))
            async with other.running():  # comes to its start once the other has let go
                await until(lambda: station.count + other.count == 4, "all are worked on")
    begun = sorted(station.begun + other.begun)
    assert begun == [(0, 0), (0, 1), (1, 0), (1, 1)]


async def test_what_is_not_begun_when_a_partition_is_revoked_is_left_to_the_next_owner(station: Station) -> None:
    station.held = {"engine-slow"}
    for partition in (0, 1):
        await kafka_side.publish(station.bootstrap, station.topic, [value("slow"), value("slow")], partition)
    other = Station(station.bootstrap, station.topic, station.group)
    async with station.running():
        await until(lambda: len(station.begun) == 2, "the first of each partition is in hand")
        async with asyncio.TaskGroup() as group:
            group.create_task(finish_when_revoked(station))
            async with other.running():
                await until(lambda: station.count + other.count == 4, "all are worked on")
    assert [offset for _, offset in other.begun] == [1]


async def test_a_partition_pauses_when_too_much_waits_and_goes_on_later(kafka: Kafka) -> None:
    topic = kafka_side.name("intake")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    station = Station(kafka.bootstrap, topic, kafka_side.name("group"), waiting_max=10)
    station.held = {"engine-slow"}
    async with kafka_side.producing(kafka.bootstrap) as producer:
        for _ in range(5000):
            await producer.send(topic, value("slow"))
        await producer.flush()
    async with station.running():
        await until(lambda: station.intake.paused_partitions == 1, "the partition pauses")
        waiting = station.intake.lanes.waiting
        assert 10 <= waiting <= 1010
        station.release.set()
        await until(lambda: station.count == 5000, "all are worked on")
    assert station.worked[0] == list(range(5000))


async def test_a_record_of_no_command_has_a_lane_of_its_own(station: Station) -> None:
    station.held = {"engine-slow"}
    await kafka_side.publish(station.bootstrap, station.topic, [value("slow"), b"{", b"{"])
    async with station.running():
        await until(lambda: station.count == 2, "the bad records are worked on")
        station.release.set()
    assert sorted(station.worked[0])[-2:] == [1, 2]


async def test_a_held_intake_pauses_polls_on_and_stays_a_member(station: Station) -> None:
    station.holds_intake = True
    async with station.running():
        await until(lambda: station.intake.paused_partitions == 2, "both partitions pause")
        await kafka_side.publish(station.bootstrap, station.topic, [value("a")])
        polls = station.intake.polls
        await until(lambda: station.intake.polls > polls + 10, "ten polls that bring nothing")
        assert (station.count, await station.intake.unread()) == (0, 0)
        assert len(station.consumer.assignment()) == 2  # type: ignore[no-untyped-call]  # aiokafka has no types
        station.holds_intake = False
        await until(lambda: station.count == 1, "it goes on")


async def test_a_poll_brings_many_records(station: Station) -> None:
    await kafka_side.publish(station.bootstrap, station.topic, [value(str(number)) for number in range(300)])
    async with station.running():
        await until(lambda: station.count == 300, "all are worked on")
        assert station.intake.polls < 100

"""Commands whose target is not there, on real Apache Kafka: they wait for starts, and never for one another."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge.announcing import Announcing
from bridge.command import Command
from bridge.dispatch import dispatcher
from bridge.dispatch.admission import Admission
from bridge.flow import Flow
from bridge.intake.backlog import Backlog
from bridge.intake.breaker import Breaker
from bridge.intake.decode import Decoder
from bridge.intake.intake import Intake
from bridge.intake.target import Targets
from bridge.outcome import Accepted, Outcome, TargetMissing
from bridge.outcomes.event import OutRecord
from bridge.routes import Replies, Route, Routes, Verb
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from tests.engine import kafka_side, records
from tests.engine.kafka_side import until
from tests.servers.fixtures import Kafka

WAIT = timedelta(seconds=1)
PLACE = "engine.place"
APPROVE = "engine.approve"


@dataclass
class Member:
    """A member of the group, and a Temporal that has the runs of `begun`; a start of a `held` id is not answered."""

    bootstrap: str
    topic: str
    group: str
    wait: timedelta = WAIT
    begun: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    settled: list[tuple[str, str]] = field(default_factory=list)
    group_id: str = "g"
    namespace: str = "n"

    def __post_init__(self) -> None:
        options: dict[str, Any] = {"topic": self.topic, "replies": Replies.ALL, "id": "engine-{id}", "wait": self.wait}
        self.routes = Routes(
            [
                Route(command=PLACE, verb=Verb.START, workflow="W", task_queue="q", **options),
                Route(command=APPROVE, verb=Verb.SIGNAL, signal="go", **options),
            ]
        )
        targets = Targets(self.routes, Backlog(lambda: self.intake.consumer))
        health = Health({Part.INTAKE: "not joined"})
        stands_in: Any = self  # for both servers
        metrics = Metrics()
        announcing = Announcing(stands_in, stands_in, health, metrics)
        flow = Flow(stands_in, announcing, targets, Admission(8), Breaker(), health, metrics)
        self.intake = Intake(
            Decoder(self.routes),
            flow.work,
            in_flight_max=8,
            waiting_max=1000,
            is_held=lambda _: False,
            health=health,
        )

    def of(self, _: object) -> "Member":
        return self

    async def dispatch(self, _: object, command: Command, *, fresh: bool) -> Outcome:
        self.asked.append(command.identity.id)
        if command.identity.type == PLACE:
            if command.workflow_id in self.held:
                await self.release.wait()
            self.begun.add(command.workflow_id)
            return Accepted("r", began=True)
        return Accepted("r") if command.workflow_id in self.begun else TargetMissing()

    async def send(self, written: Sequence[OutRecord]) -> None:
        self.settled += [
            (json.loads(one.value)["command_id"], json.loads(one.value)["reason"] or "accepted")
            for one in written
            if one.topic == "bridge.replies" and one.value is not None
        ]

    def problem(self) -> None:
        """Every topic takes records."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
        )
        consumer.subscribe([self.topic], listener=self.intake)
        await consumer.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                lanes = tasks.create_task(self.intake.lanes.run())
                polling = tasks.create_task(self.intake.run(consumer))
                yield
                self.intake.stop()
                await asyncio.wait({polling})
                lanes.cancel()
        finally:
            await consumer.stop()


@pytest.fixture
async def member(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Member:
    async def dispatch(temporal: Any, command: Command, *, fresh: bool) -> Outcome:
        found: Outcome = await temporal.dispatch(temporal, command, fresh=fresh)
        return found

    monkeypatch.setattr(dispatcher, "dispatch", dispatch)
    topic = kafka_side.name("mixed")
    await kafka_side.make_topics(
        kafka.bootstrap, topic, partitions=2, config={"message.timestamp.type": "LogAppendTime"}
    )
    return Member(kafka.bootstrap, topic, kafka_side.name("group"))


async def send(member: Member, *commands: tuple[int, str, str], transactional: bool = False) -> None:
    """Send commands as (partition, type, business id); a command's id is its type's last word and the business id."""
    options = {"transactional_id": member.group} if transactional else {}
    async with (
        kafka_side.producing(member.bootstrap, **options) as producer,
        producer.transaction() if transactional else contextlib.nullcontext(),
    ):
        for partition, kind, key in commands:
            headers = records.binary(id=f"{kind.rpartition('.')[2]}-{key}", source="/test", type=kind)
            value = json.dumps({"id": key}).encode()
            sent = await producer.send(member.topic, value, partition=partition, headers=list(headers))
            if not transactional:
                await sent


async def test_signals_without_target_in_two_partitions_do_not_wait_for_each_other(member: Member) -> None:
    await send(member, (0, APPROVE, "a"), (1, APPROVE, "b"))
    async with member.running():
        await until(lambda: len(member.settled) == 2, "both are settled")
    assert sorted(member.settled) == [("approve-a", "target_missing"), ("approve-b", "target_missing")]


async def test_what_queues_behind_signals_without_target_is_not_waited_for_either(member: Member) -> None:
    await send(member, *[(partition, APPROVE, key) for partition, key in ((0, "a"), (1, "b")) for _ in range(3)])
    async with member.running():
        await until(lambda: len(member.settled) == 6, "all are settled")
    assert {reason for _, reason in member.settled} == {"target_missing"}


async def test_signals_without_target_behind_which_the_log_has_markers_only_do_not_wait_for_each_other(
    member: Member,
) -> None:
    await send(member, (0, APPROVE, "a"), (1, APPROVE, "b"), transactional=True)
    async with member.running():
        await until(lambda: len(member.settled) == 2, "both are settled")
    assert {reason for _, reason in member.settled} == {"target_missing"}


async def test_signals_without_target_of_two_members_do_not_wait_for_each_other(member: Member) -> None:
    other = Member(member.bootstrap, member.topic, member.group)
    async with member.running(), other.running():
        await until(
            lambda: [len(one.intake.taking.assignment.partitions) for one in (member, other)] == [1, 1],
            "each has a partition",
        )
        await send(member, (0, APPROVE, "a"), (1, APPROVE, "b"))
        await until(lambda: len(member.settled + other.settled) == 2, "both are settled")
    assert [reason for _, reason in member.settled + other.settled] == ["target_missing"] * 2
    assert len(member.settled) == len(other.settled) == 1


async def test_a_signal_waits_for_a_start_in_another_partition_that_is_under_way_however_long(
    member: Member,
) -> None:
    member.held = {"engine-a"}
    tp = TopicPartition(member.topic, 0)
    await send(member, (1, PLACE, "a"), (1, APPROVE, "z"), (0, APPROVE, "a"), (0, APPROVE, "y"))
    async with member.running():
        # Of what is in hand, one may be waiting for the start: `z` in its partition needs only the other one.
        await until(lambda: ("approve-z", "target_missing") in member.settled, "what waits for no start is settled")
        assert member.settled == [("approve-z", "target_missing")]
        member.release.set()
        await until(lambda: len(member.settled) == 4, "all are settled")
        await member.intake.committing.commit()
    assert set(member.settled) == {
        ("place-a", "accepted"),
        ("approve-a", "accepted"),
        ("approve-y", "target_missing"),
        ("approve-z", "target_missing"),
    }
    assert await kafka_side.committed(member.bootstrap, member.group, tp) == 2


async def test_a_signal_whose_start_is_behind_it_in_its_partition_is_answered_at_once(member: Member) -> None:
    hasty = Member(member.bootstrap, member.topic, member.group, wait=timedelta(hours=1))
    await send(hasty, (0, APPROVE, "a"), (0, PLACE, "a"))
    async with hasty.running():
        await until(lambda: len(hasty.settled) == 2, "both are settled")
    assert hasty.settled == [("approve-a", "target_missing"), ("place-a", "accepted")]


async def test_commands_of_a_workflow_id_wait_for_each_other_whatever_their_verbs(member: Member) -> None:
    member.held = {"engine-a"}
    await send(member, (0, PLACE, "a"), (0, APPROVE, "a"), (0, PLACE, "b"), (0, APPROVE, "b"))
    async with member.running():
        await until(lambda: len(member.settled) == 2, "those of the other workflow id are settled")
        assert member.asked == ["place-a", "place-b", "approve-b"]
        member.release.set()
        await until(lambda: len(member.settled) == 4, "all are settled")
    assert member.settled[2:] == [("place-a", "accepted"), ("approve-a", "accepted")]

"""One command's way, with the servers' answers given by the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import TopicPartition

from bridge import flow as flows
from bridge.command import Command
from bridge.dispatch import dispatcher
from bridge.dispatch.admission import Admission
from bridge.dispatch.failures import RunIsFullError
from bridge.errors import ConfigurationError, KafkaAwayError, TemporalAwayError
from bridge.flow import Flow
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.breaker import Breaker
from bridge.intake.item import Item, LaneKey
from bridge.intake.lanes import Lane
from bridge.intake.watermark import Watermark
from bridge.outcome import Accepted, Rejected
from bridge.outcomes.event import OutRecord
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from tests.engine import records
from topics.replies import RejectReason


@dataclass
class Server:
    """Answers of Temporal and Kafka, in order; exceptions are raised."""

    answers: list[Any]
    acknowledgements: list[Exception | None] = field(default_factory=list)
    written: list[OutRecord] = field(default_factory=list)
    asked: list[bool] = field(default_factory=list)
    group: str = "g"
    namespace: str = "n"

    async def dispatch(self, _: object, command: Command, *, fresh: bool) -> object:
        self.asked.append(fresh)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send(self, written: Sequence[OutRecord]) -> None:
        failure = self.acknowledgements.pop(0) if self.acknowledgements else None
        if failure is not None:
            raise failure
        self.written += written

    def problem(self) -> None:
        """Every topic takes records."""


@dataclass
class Scene:
    server: Server
    flow: Flow
    lane: Lane[LaneKey, Item]
    watermark: Watermark

    @property
    def item(self) -> Item:
        return self.lane.items[0]

    async def work(self) -> timedelta | None:
        again_after = await self.flow.work(self.lane)
        self.lane.attempts += 1
        return again_after

    @property
    def topics(self) -> list[str]:
        return [one.topic for one in self.server.written]


def scene(monkeypatch: pytest.MonkeyPatch, server: Server, value: bytes | None = None) -> Scene:
    monkeypatch.setattr(dispatcher, "dispatch", server.dispatch)
    place = records.record(value, records.binary()) if value else records.record(headers=records.binary())
    tp = TopicPartition(place.topic, place.partition)
    assignment = Assignment(10)
    assignment.partitions[tp] = Partition(Watermark(), end_offset=0)
    assignment.take(tp, place)
    item = Item(records.decode(place), tp, assignment, assignment.is_new(tp, place))
    lane: Lane[LaneKey, Item] = Lane((tp, "invoice-I-1"))
    lane.items.append(item)
    made = Flow(server, server, None, Admission(8), Breaker(), Health(), Metrics())  # type: ignore[arg-type]  # the test's answers stand in
    return Scene(server, made, lane, assignment.partitions[tp].watermark)


async def test_a_command_is_carried_out_answered_and_done(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([Accepted("r")]))
    assert await told.work() is None
    assert (told.topics, told.watermark.pending) == (["bridge.replies"], 0)


async def test_a_bad_record_is_dead_lettered_and_answered_without_asking_temporal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([]), b"{")
    assert await told.work() is None
    assert (told.topics, told.watermark.pending) == (["invoice.approve.dlq", "bridge.replies"], 0)


async def test_an_answer_that_kafka_does_not_take_is_written_again_without_a_second_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([Accepted("r")], [KafkaAwayError("away")]))
    assert await told.work() is not None
    assert (told.watermark.pending, told.flow.health.problems) == (1, {Part.KAFKA: "away"})
    assert await told.work() is None
    assert (told.topics, told.watermark.pending, told.flow.health.ready) == (["bridge.replies"], 0, True)
    assert len(told.server.asked) == 1


@pytest.mark.parametrize(
    ("error", "part"),
    [(TemporalAwayError("x"), Part.TEMPORAL), (ConfigurationError("x"), Part.CONFIGURATION)],
    ids=["away", "misconfigured"],
)
async def test_what_is_not_the_records_fault_is_tried_again_and_dead_letters_nothing(
    monkeypatch: pytest.MonkeyPatch, error: Exception, part: Part
) -> None:
    told = scene(monkeypatch, Server([error, Accepted("r")]))
    assert await told.work() is not None
    assert (told.topics, told.watermark.pending, told.flow.health.problems) == ([], 1, {part: "x"})
    assert await told.work() is None
    assert (told.topics, told.flow.health.ready) == (["bridge.replies"], True)


async def test_a_second_attempt_is_not_one_that_nobody_can_have_made(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([TemporalAwayError("x"), Accepted("r")]))
    monkeypatch.setattr(flows, "_is_first", lambda _: True)
    await told.work()
    await told.work()
    assert told.server.asked == [True, False]


async def test_a_defect_of_ours_holds_its_key_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([ZeroDivisionError(), Accepted("r")]))
    assert await told.work() == flows.BACKOFF_MAX
    assert told.watermark.pending == 1
    assert await told.work() is None


async def test_a_run_that_is_full_leaves_readiness_and_the_drain_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([RunIsFullError("full")]))
    assert await told.work() is not None
    assert (told.flow.health.ready, told.item.stalled) == (True, False)


async def test_a_rejected_command_is_answered_and_not_dead_lettered(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([Rejected(RejectReason.ALREADY_DONE, "closed")]))
    assert await told.work() is None
    assert told.topics == ["bridge.replies"]


def test_the_pause_between_attempts_grows_up_to_a_bound() -> None:
    pauses = [flows._backoff(attempts) for attempts in (0, 3, 20, 10_000)]
    assert [flows.BACKOFF_FIRST / 2 <= pause <= flows.BACKOFF_MAX for pause in pauses] == [True] * 4
    assert pauses[0] < pauses[1] < pauses[2]

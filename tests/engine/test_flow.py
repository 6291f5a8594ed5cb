"""One command's way, with the servers' answers given by the test."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from aiokafka import TopicPartition

from bridge import flow as flows
from bridge import mark
from bridge.announcing import Announcing
from bridge.command import Command
from bridge.dispatch import dispatcher
from bridge.dispatch.admission import Admission
from bridge.dispatch.failures import NoWorkerYetError, RunIsFullError
from bridge.dispatch.known import KnownRuns
from bridge.errors import ConfigurationError, KafkaAwayError, TemporalAwayError, TopicRefusedError
from bridge.feed import watch
from bridge.feed.watch import Watch
from bridge.flow import Flow
from bridge.intake import target
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.breaker import Breaker
from bridge.intake.item import Item, LaneKey
from bridge.intake.lanes import Lane
from bridge.intake.watermark import Watermark
from bridge.outcome import Accepted, DeadLettered, Duplicate, Rejected, TargetMissing
from bridge.outcomes.event import OutRecord
from bridge.routes import Missing, Replies, Route, Verb
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from tests.engine import records
from topics.replies import DeadLetterReason, RejectReason

NOTHING: Mapping[str, str] = MappingProxyType({})
FEED, REPLIES = "g.feed", "bridge.replies"
REFUSED = TopicRefusedError("bridge.replies", "is not there")


@dataclass
class Server:
    """Answers of Temporal and Kafka, in order; exceptions are raised."""

    answers: list[Any]
    acknowledgements: list[Exception | None] = field(default_factory=list)
    written: list[OutRecord] = field(default_factory=list)
    asked: list[bool] = field(default_factory=list)
    group: str = "g"
    namespace: str = "n"
    known_runs: KnownRuns = field(default_factory=KnownRuns)

    def of(self, _: object) -> "Server":
        return self

    async def dispatch(self, _: object, command: Command, *, fresh: bool) -> object:
        self.asked.append(fresh)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send(self, written: Sequence[OutRecord]) -> None:
        for each in written:
            failure = self.acknowledgements.pop(0) if self.acknowledgements else None
            if failure is not None:
                raise failure
            self.written.append(each)

    def problem(self) -> None:
        """Every topic takes records."""


@dataclass
class Scene:
    server: Server
    flow: Flow
    lane: Lane[LaneKey, Item]
    watermark: Watermark
    route: Route

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


def scene(
    monkeypatch: pytest.MonkeyPatch,
    server: Server,
    value: bytes | None = None,
    asked: Mapping[str, str] = NOTHING,
    **route: Any,
) -> Scene:
    monkeypatch.setattr(dispatcher, "dispatch", server.dispatch)
    headers = records.binary(**asked)
    place = records.record(value, headers) if value else records.record(headers=headers)
    tp = TopicPartition(place.topic, place.partition)
    assignment = Assignment(10)
    partition = assignment.partitions[tp] = Partition(Watermark(), end_offset=0)
    partition.take(place.offset, place.size_bytes)
    row = records.ROUTES.for_command("invoice.approve")
    assert row is not None
    row = dataclasses.replace(row, **route)
    item = Item(records.decode(place, rows=[row]), tp, assignment, partition.is_new(place.offset), place.size_bytes)
    lane: Lane[LaneKey, Item] = Lane((tp, "invoice-I-1"))
    lane.items.append(item)
    stands_in: Any = server  # for both servers
    targets: Any = None  # the test of a target that is waited for brings its own
    health, metrics = Health(), Metrics()
    announcing = Announcing(stands_in, stands_in, health, metrics)
    made = Flow(stands_in, announcing, targets, Admission(8), Breaker(), health, metrics)
    return Scene(server, made, lane, assignment.partitions[tp].watermark, row)


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
    ("settled", "topics", "refusals"),
    [
        (
            DeadLettered(DeadLetterReason.TARGET_MISSING, "none"),
            ["invoice.approve.dlq", REPLIES],
            [None, REFUSED, REFUSED],
        ),
        (
            Accepted("r", began=True),
            ["invoice.lifecycle", "invoice.lifecycle", REPLIES],
            [None, REFUSED, None, REFUSED, REFUSED],
        ),
    ],
    ids=["a dead letter", "a start, of whose batch it is not known what arrived"],
)
async def test_what_tells_of_a_command_is_not_written_time_and_again_while_its_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch, settled: object, topics: list[str], refusals: list[Exception | None]
) -> None:
    told = scene(monkeypatch, Server([settled], refusals))
    while await told.work() is not None:
        pass
    assert (told.topics, told.watermark.pending) == (topics, 0)


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


@pytest.mark.parametrize("error", [RunIsFullError("full"), NoWorkerYetError("none")], ids=["full", "no worker"])
async def test_a_key_that_must_wait_leaves_readiness_and_the_drain_alone(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    told = scene(monkeypatch, Server([error]))
    assert await told.work() is not None
    assert (told.flow.health.ready, told.item.stalled) == (True, False)


async def test_a_rejected_command_is_answered_and_not_dead_lettered(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([Rejected(RejectReason.ALREADY_DONE, "closed")]))
    assert await told.work() is None
    assert told.topics == ["bridge.replies"]


async def test_a_missing_target_is_dead_lettered_at_once_where_its_route_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([TargetMissing()]), missing=Missing.DEAD_LETTER)
    assert await told.work() is None
    assert told.topics == ["invoice.approve.dlq", "bridge.replies"]


async def test_a_command_whose_turn_has_not_come_asks_nothing_and_counts_as_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flows, "_is_first", lambda _: True)
    told = scene(monkeypatch, Server([Accepted("r")]), rate=1.0)
    told.flow.rates.turn(told.route, told.item.assignment)
    held = await told.work()
    assert held is not None
    assert timedelta(seconds=0.5) < held <= timedelta(seconds=1)
    assert told.server.asked == []
    assert await told.work() is None
    assert told.server.asked == [True]


async def test_what_an_outage_held_goes_on_at_its_routes_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([TemporalAwayError("x"), Accepted("r")]), rate=0.1)
    assert await told.work() is not None
    assert len(told.server.asked) == 1
    held = await told.work()
    assert held is not None
    assert timedelta(seconds=5) < held <= timedelta(seconds=10)
    assert (await told.work(), len(told.server.asked)) == (None, 2)


async def test_a_key_that_must_wait_takes_no_turns_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([NoWorkerYetError("none"), Accepted("r")]), rate=0.1)
    await told.work()
    assert await told.work() is None


@pytest.mark.parametrize(
    ("replies", "settled", "written"),
    [
        (Replies.ALL, Accepted("r"), ["bridge.replies"]),
        (Replies.REJECTED, Accepted("r"), []),
        (Replies.REJECTED, Rejected(RejectReason.ALREADY_DONE, "closed"), ["bridge.replies"]),
        (Replies.NONE, Rejected(RejectReason.ALREADY_DONE, "closed"), []),
    ],
)
async def test_a_route_says_who_is_answered(
    monkeypatch: pytest.MonkeyPatch, replies: Replies, settled: object, written: list[str]
) -> None:
    told = scene(monkeypatch, Server([settled]), replies=replies)
    assert await told.work() is None
    assert told.topics == written


async def test_a_bad_record_of_a_route_that_answers_nobody_is_dead_lettered_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([]), b"{}", replies=Replies.NONE)
    assert await told.work() is None
    assert told.topics == ["invoice.approve.dlq"]


@pytest.mark.parametrize("value", [b"{", None], ids=["bad otherwise too", "sound otherwise"])
async def test_a_command_that_asks_for_answers_where_it_may_not_is_dead_lettered_only(
    monkeypatch: pytest.MonkeyPatch, value: bytes | None
) -> None:
    told = scene(monkeypatch, Server([]), value, asked={"replyto": "elsewhere"})
    assert await told.work() is None
    assert told.topics == ["invoice.approve.dlq"]


BEGINS: Mapping[str, Any] = MappingProxyType({"verb": Verb.START, "workflow": "W", "task_queue": "q"})


@pytest.mark.parametrize(
    ("route", "settled", "written"),
    [
        ({}, Accepted("r"), [FEED, REPLIES]),
        ({}, Duplicate("r"), [FEED, REPLIES]),
        ({}, Duplicate(None), [REPLIES]),
        ({}, Rejected(RejectReason.ALREADY_DONE, "closed", "r"), [REPLIES]),
        ({}, DeadLettered(DeadLetterReason.TARGET_MISSING, "none"), ["invoice.approve.dlq", REPLIES]),
        (BEGINS, Accepted("r"), [REPLIES]),
        (BEGINS, Duplicate("r"), [FEED, REPLIES]),
        ({"replies": Replies.REJECTED}, Accepted("r"), []),
        ({"replies": Replies.NONE}, Accepted("r"), []),
    ],
    ids=[
        "in effect",
        "in effect before",
        "in effect on a run that is not known",
        "refused",
        "dead-lettered",
        "a start, whose mark asks",
        "a start that another record made",
        "a route that answers refusals only",
        "a route that answers nobody",
    ],
)
async def test_the_owner_of_the_feed_is_asked_for_the_second_reply_where_the_runs_mark_does_not_ask(
    monkeypatch: pytest.MonkeyPatch, route: Mapping[str, Any], settled: object, written: list[str]
) -> None:
    told = scene(monkeypatch, Server([settled]), asked={"replywhen": "done"}, **route)
    assert await told.work() is None
    assert told.topics == written


async def test_what_the_owner_of_the_feed_is_asked_names_the_run_and_the_topic_of_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([Accepted("r")]), asked={"replywhen": "done"})
    await told.work()
    content = told.server.written[0].value
    found = watch.read(content or b"")
    assert isinstance(told.item.content, Command)
    mine = mark.of(told.item.content, "g")
    assert found == Watch(mine, "n", "invoice-I-1", "r", announce=False, reply_topic=REPLIES)


class Unasked:
    """Targets, while Kafka does not say how far the group has come."""

    async def wait_for(self, *_: object) -> None:
        raise KafkaAwayError("how far the starts are read could not be asked")


async def test_a_target_that_kafka_could_not_be_asked_about_is_waited_for_and_holds_no_intake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([TargetMissing(), Accepted("r")]), replies=Replies.NONE)
    told.flow = dataclasses.replace(told.flow, targets=Unasked())  # type: ignore[arg-type]  # stands in for them
    assert await told.work() == target.LOOK_AGAIN
    assert not told.flow.health.holds_intake
    assert (await told.work(), told.item.stalled) == (None, False)


async def test_a_run_of_others_is_known_only_once_the_owner_of_the_feed_was_asked_to_look_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reaches: Mapping[str, Any] = {"verb": Verb.SIGNAL_WITH_START, "workflow": "W", "task_queue": "q"}
    told = scene(monkeypatch, Server([Accepted("r", of_others=True)], [KafkaAwayError("away")]), **reaches)
    assert await told.work() is not None
    assert "r" not in told.server.known_runs
    assert await told.work() is None
    assert (told.topics, "r" in told.server.known_runs) == ([FEED, REPLIES], True)


async def test_a_run_that_a_refused_update_began_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Rejected(RejectReason.REFUSED_BY_WORKFLOW, "no", "r", began=True)
    told = scene(monkeypatch, Server([refused]))
    assert await told.work() is None
    assert told.topics == ["invoice.lifecycle", "bridge.replies"]


def test_the_pause_between_attempts_grows_up_to_a_bound() -> None:
    pauses = [flows._backoff(attempts) for attempts in (0, 3, 20, 10_000)]
    assert [flows.BACKOFF_FIRST / 2 <= pause <= flows.BACKOFF_MAX for pause in pauses] == [True] * 4
    assert pauses[0] < pauses[1] < pauses[2]

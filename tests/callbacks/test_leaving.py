"""What the sweep leaves to callbacks, and for how long."""

import asyncio
import dataclasses
import json
import time
from collections.abc import Iterable
from datetime import timedelta

import pytest
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from bridge import mark
from bridge.dispatch import callbackmode
from bridge.dispatch.callbackmode import LEFT_AT_FIRST, LEFT_FOR, MISSED_MAX, CallbackMode
from bridge.feed.closing import Closing
from bridge.feed.ends import Begun
from bridge.feed.leaving import Leaving
from bridge.feed.visibility import ClosedRun
from bridge.outcomes.lifecycle import End, RunFacts
from bridge.routes import Missing, Route, Routes, Verb
from tests.callbacks import caller, endings
from tests.engine import kafka_side, records
from tests.engine.descendants import Child, Parent
from tests.engine.feed_side import Sweeper, events, states, swept
from tests.engine.temporal_side import COMPLETED, Stage
from tests.servers.fixtures import Kafka
from topics.lifecycle import State


def mode(*, arrived: bool = True) -> CallbackMode:
    made = CallbackMode("default", caller.signer("127.0.0.1:9", "g"))
    if arrived:
        made.arrived()
    return made


def route(verb: Verb = Verb.START, lifecycle: str = "t.lifecycle", missing: Missing = Missing.WAIT) -> Route:
    return Route(
        command="t", verb=verb, id="w-{id}", workflow="W", task_queue="q", signal="s", update="u", lifecycle=lifecycle,
        missing=missing,
    )  # fmt: skip


def run(
    seconds_ago: float = 1, name: str = "1", state: State = State.COMPLETED, *, is_offspring: bool = False
) -> ClosedRun:
    record = records.record(b'{"id":"1"}', records.binary(type="t"), topic="t")
    closed_ms = int((time.time() - seconds_ago) * 1000)
    memo = mark.memo_text(mark.of(records.command(record, rows=[route()]), "g"))
    return ClosedRun(f"w-{name}", f"run-{name}", state, closed_ms, memo, is_offspring)


def closing(row: ClosedRun, *, request: str | None = None, first: str | None = None, new: str | None = None) -> Closing:
    """Return what is read of a row's run: of its mark's own command, and alone in its chain, unless told."""
    found = row.mark
    assert found is not None
    facts = RunFacts("default", row.workflow_id, row.run_id, first or row.run_id, "W", "q", 1)
    began_ms = row.closed_ms - 1000
    begun = Begun(facts, found, in_group=True, started_ms=began_ms, requests=(request or f"{found.request_id}:0",))
    end = End(row.state, began_ms, row.closed_ms, new_run_id=new, failure=None)
    return Closing(begun, end, None, found, "g", topic="t.lifecycle", with_result=False)


def told_late(judge: Leaving, read: Iterable[Closing], rows: list[ClosedRun]) -> None:
    """Let the sweep tell runs itself."""
    assert judge.taken(rows) == rows
    for one in read:
        judge.note(one)
    judge.learn(rows, rows, rows)


def twenty(state: State = State.COMPLETED) -> list[ClosedRun]:
    return [run(LEFT_FOR.total_seconds() + 1, str(number), state) for number in range(MISSED_MAX)]


def taken(*runs: ClosedRun, of: Route | None = None, by: CallbackMode | None = None) -> list[str]:
    return [one.run_id for one in Leaving(by or mode(), Routes([of or route()])).taken(runs)]


def test_a_young_end_is_left_and_an_older_one_is_not() -> None:
    assert taken(run(1, "young"), run(LEFT_FOR.total_seconds() + 1, "older")) == ["run-older"]


@pytest.mark.parametrize(
    "of",
    [
        route(Verb.SIGNAL_WITH_START),
        route(Verb.SIGNAL, missing=Missing.START),
        route(Verb.UPDATE),
        route(lifecycle=""),
    ],
    ids=["signal-with-start", "signal that starts", "update of another command's run", "no lifecycle topic"],
)
def test_an_end_that_no_callback_can_tell_of_is_taken_at_once(of: Route) -> None:
    assert taken(run(), of=of) == ["run-1"]


def test_the_end_of_a_run_that_an_update_began_is_left_as_it_has_a_callback() -> None:
    assert taken(run(), of=route(Verb.UPDATE, missing=Missing.START)) == []


def test_children_and_what_a_schedule_begins_are_taken_at_once_though_they_carry_our_mark() -> None:
    assert taken(run(is_offspring=True)) == ["run-1"]


def test_before_the_first_callback_has_come_ends_are_left_for_a_shorter_time() -> None:
    waits = LEFT_AT_FIRST.total_seconds()
    rows = [run(waits / 2, "young"), run(waits + 1, "older")]
    assert taken(*rows, by=mode(arrived=False)) == ["run-older"]
    assert taken(*rows, by=mode()) == []


def test_a_run_that_only_continues_is_taken_at_once() -> None:
    assert taken(run(state=State.CONTINUED_AS_NEW)) == ["run-1"]


def test_without_callbacks_everything_is_taken_at_once() -> None:
    assert taken(run(), by=CallbackMode()) == ["run-1"]


def test_what_follows_an_end_that_is_left_is_left_with_it() -> None:
    later = run(0.5, "1", State.CONTINUED_AS_NEW)
    assert taken(run(1, "1"), later, run(0.5, "2", State.CONTINUED_AS_NEW)) == ["run-2"]


def test_the_watermark_stays_behind_what_is_left() -> None:
    judge = Leaving(mode(), Routes([route()]))
    now_ms = int(time.time() * 1000)
    judge.taken([])
    bound_ms = now_ms - LEFT_FOR // timedelta(milliseconds=1)
    assert bound_ms <= judge.until_ms(now_ms) <= bound_ms + 1000
    assert judge.until_ms(bound_ms - 5000) == bound_ms - 5000


def test_the_watermark_stays_behind_what_was_left_also_where_callbacks_are_doubted_meanwhile() -> None:
    doubted = mode()
    judge = Leaving(doubted, Routes([route()]))
    young, *late = run(1, "young"), *twenty()
    assert judge.taken([*late, young]) == late
    for row in late:
        judge.note(closing(row))
    judge.learn([*late, young], [*late, young], late)
    assert doubted.name == "sweep"
    assert judge.until_ms(young.closed_ms) < young.closed_ms


@pytest.mark.parametrize("arrived", [True, False])
def test_ends_that_the_sweep_has_to_tell_make_it_wait_no_longer(*, arrived: bool) -> None:
    doubted = mode(arrived=arrived)
    rows = twenty()
    told_late(Leaving(doubted, Routes([route()])), map(closing, rows), rows)
    assert doubted.left_for == timedelta(0)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.FAILED, {"new": "retry"}),
        (State.TIMED_OUT, {"new": "retry"}),
        (State.COMPLETED, {"new": "next by cron"}),
        (State.TERMINATED, {"new": "reset"}),
        (State.COMPLETED, {"first": "a run before"}),
        (State.COMPLETED, {"request": "of somebody else"}),
    ],
)
def test_ends_that_callbacks_do_not_tell_are_no_sign_of_lost_callbacks(state: State, told: dict[str, str]) -> None:
    trusted = mode()
    rows = twenty(state)
    told_late(Leaving(trusted, Routes([route()])), [closing(row, **told) for row in rows], rows)
    assert trusted.left_for == LEFT_FOR


def test_children_with_our_mark_are_no_sign_of_lost_callbacks() -> None:
    trusted = mode()
    rows = [dataclasses.replace(row, is_offspring=True) for row in twenty()]
    told_late(Leaving(trusted, Routes([route()])), map(closing, rows), rows)  # as of a server that tells no requests
    assert trusted.left_for == LEFT_FOR


def test_ends_from_before_the_process_was_there_are_no_sign_of_lost_callbacks() -> None:
    trusted = mode()
    old = [run(3600, str(number)) for number in range(MISSED_MAX)]
    told_late(Leaving(trusted, Routes([route()])), map(closing, old), old)
    assert trusted.left_for == LEFT_FOR


async def test_an_end_without_its_callback_is_told_by_the_sweep_after_the_time_that_it_was_left_for(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sweeper(kafka, feed, callbacks=mode()).owning() as sweeper:
        run_id = await feed.begin()
        await feed.work(COMPLETED)
        await feed.shown_as_closed(run_id)
        await sweeper.sweep()
        assert await events(kafka, feed) == []
        monkeypatch.setattr(callbackmode, "LEFT_FOR", timedelta(0))
        assert states(await swept(sweeper, kafka, feed, 1)) == [(run_id, "completed")]


async def test_a_child_with_our_mark_is_told_at_once_while_its_parent_is_left_to_a_callback(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbackmode, "LEFT_FOR", timedelta(minutes=10))
    await feed.begin()
    async with asyncio.timeout(30), Worker(feed.client, task_queue=feed.queue, workflows=[Parent, Child]):
        await feed.client.get_workflow_handle(feed.workflow_id).result()
    async with Sweeper(kafka, feed, callbacks=mode()).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    child = f"{feed.workflow_id}-known"
    assert [(one["workflow_id"], one["state"]) for one in data] == [(child, "started"), (child, "completed")]


async def test_what_a_schedule_begins_with_our_mark_is_told_at_once(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbackmode, "LEFT_FOR", timedelta(minutes=10))
    memo = json.loads(mark.memo_text(mark.of(feed.command(Verb.START, "first"), feed.group)))
    attribute = SearchAttributePair(SearchAttributeKey.for_keyword(mark.GROUP_ATTRIBUTE), feed.group)
    action = ScheduleActionStartWorkflow(
        "Ends",
        {},
        id=feed.workflow_id,
        task_queue=feed.queue,
        memo={mark.MEMO: memo},
        typed_search_attributes=TypedSearchAttributes([attribute]),
    )
    schedule = await feed.client.create_schedule(
        feed.name, Schedule(action=action, spec=ScheduleSpec()), trigger_immediately=True
    )
    async with endings.worker(feed.client, feed.queue), Sweeper(kafka, feed, callbacks=mode()).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    await schedule.delete()
    assert [one["state"] for one in data] == ["started", "completed"]


async def test_the_watermark_follows_what_callbacks_have_told(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbackmode, "LEFT_FOR", timedelta(0))
    run_id = await feed.begin()
    await feed.work(COMPLETED)
    await feed.shown_as_closed(run_id)
    async with Sweeper(kafka, feed).owning() as sweeper:
        closing = await sweeper.patrol.sweep._lookup.closing(feed.workflow_id, run_id)
        assert closing is not None
        async with kafka_side.producing(kafka.bootstrap) as producer:
            for record in closing.records(with_start=False):
                await producer.send_and_wait(
                    record.topic,
                    record.value,
                    record.key,
                    headers=list(record.headers),
                    timestamp_ms=record.timestamp_ms,
                )
        await sweeper.sweep()
        assert sweeper.patrol.sweep.watermark_ms == closing.end.closed_ms
    assert len(await events(kafka, feed)) == 1

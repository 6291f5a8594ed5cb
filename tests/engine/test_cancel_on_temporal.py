"""The verb cancel on the real server: never a chain of runs that began later."""

import pytest
from temporalio.api.enums.v1 import EventType

from bridge.dispatch import requests
from bridge.outcome import Accepted, Duplicate, Rejected, TargetMissing
from bridge.routes import Verb
from tests.engine.temporal_side import CANCELLED, COMPLETED, Stage
from topics.replies import RejectReason


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_cancel_reaches_the_open_run_signed_and_with_its_reason(stage: Stage, fresh: bool) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.CANCEL, "c")
    assert await stage.do(command, fresh=fresh) == Accepted(run_id)
    (event,) = await stage.events(run_id, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    asked = event.workflow_execution_cancel_requested_event_attributes
    assert (asked.identity, asked.cause) == (requests.identity(stage.group, command), "because")


async def test_a_cancel_repeated_on_the_open_run_is_one_cancel(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.CANCEL, "c")
    assert [await stage.do(command) for _ in range(3)] == [Accepted(run_id)] * 3
    assert await stage.cancels(run_id) == 1


async def test_a_cancel_reaches_the_latest_run_of_a_chain(stage: Stage) -> None:
    await stage.begin()
    await stage.renew()
    second = (await stage.latest()).run_id
    assert await stage.do(stage.command(Verb.CANCEL, "c")) == Accepted(second)
    assert await stage.cancels(second) == 1


async def test_a_cancel_without_a_target_finds_none(stage: Stage) -> None:
    assert await stage.do(stage.command(Verb.CANCEL, "c")) == TargetMissing()


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_cancel_of_a_closed_run_is_refused(stage: Stage, fresh: bool) -> None:
    run_id = await stage.begin()
    await stage.work(COMPLETED)
    outcome = await stage.do(stage.command(Verb.CANCEL, "c"), fresh=fresh)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.run_id) == (RejectReason.ALREADY_DONE, run_id)


async def test_a_cancel_redelivered_after_the_run_was_cancelled_by_it_is_a_duplicate(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.CANCEL, "c")
    await stage.do(command)
    await stage.work(CANCELLED)
    assert await stage.do(command) == Duplicate(run_id)


async def test_a_cancel_redelivered_is_found_behind_all_that_the_run_did_before_it_closed(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.CANCEL, "c")
    await stage.do(command)
    for number in range(120):
        await stage.do(stage.command(Verb.SIGNAL, f"s-{number}"), fresh=True)
    await stage.work(CANCELLED)
    assert await stage.do(command) == Duplicate(run_id)


async def test_a_cancel_redelivered_never_reaches_a_newer_run(stage: Stage) -> None:
    first = await stage.begin("a", offset=1)
    command = stage.command(Verb.CANCEL, "c")
    await stage.do(command)
    await stage.work(CANCELLED)
    second = await stage.begin("b", offset=2)
    await stage.shown_as_closed(first)
    assert await stage.do(command) == Duplicate(first)
    assert await stage.cancels(second) == 0


async def test_a_cancel_redelivered_never_reaches_a_newer_chain(stage: Stage) -> None:
    first = await stage.begin("a", offset=1)
    command = stage.command(Verb.CANCEL, "c")
    await stage.do(command)
    await stage.work(CANCELLED)
    await stage.begin("b", offset=2)
    await stage.renew()
    await stage.shown_as_closed(first)
    assert await stage.do(command) == Duplicate(first)
    assert await stage.cancels((await stage.latest()).run_id) == 0


async def test_another_cancel_reaches_the_newer_run(stage: Stage) -> None:
    first = await stage.begin("a", offset=1)
    await stage.do(stage.command(Verb.CANCEL, "c", offset=1))
    await stage.work(CANCELLED)
    second = await stage.begin("b", offset=2)
    await stage.shown_as_closed(first)
    assert await stage.do(stage.command(Verb.CANCEL, "d", offset=2)) == Accepted(second)


async def test_a_cancel_that_was_refused_never_reaches_a_run_that_was_begun_later(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    refused = stage.command(Verb.CANCEL, "c")
    first = await stage.do(refused)
    second = await stage.begin("b", offset=2, timestamp_ms=refused.record.timestamp_ms + 1)
    again = await stage.do(refused)
    assert isinstance(first, Rejected)
    assert isinstance(again, Rejected)
    assert (first.reason, again.reason) == (RejectReason.ALREADY_DONE, RejectReason.ALREADY_DONE)
    latest = await stage.latest()
    assert (latest.run_id, latest.is_open, await stage.cancels(second)) == (second, True, 0)

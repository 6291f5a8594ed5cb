"""The verb terminate on the real server: never a chain of runs that began later."""

import json

import pytest
from temporalio.api.enums.v1 import EventType

from bridge.dispatch import requests
from bridge.outcome import Accepted, Duplicate, Rejected, TargetMissing
from bridge.routes import Verb
from tests.engine.temporal_side import COMPLETED, Stage
from topics.replies import RejectReason


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_terminate_ends_the_open_run_signed_and_with_its_reason(stage: Stage, fresh: bool) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.TERMINATE, "t")
    assert await stage.do(command, fresh=fresh) == Accepted(run_id)
    (event,) = await stage.events(run_id, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED)
    ended = event.workflow_execution_terminated_event_attributes
    assert (ended.identity, ended.reason) == (requests.identity(stage.group, command), "because")
    assert json.loads(ended.details.payloads[0].data)["id"] == "t"


async def test_a_terminate_redelivered_is_a_duplicate(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.TERMINATE, "t")
    await stage.do(command)
    assert [await stage.do(command) for _ in range(2)] == [Duplicate(run_id)] * 2


async def test_a_terminate_ends_the_latest_run_of_a_chain(stage: Stage) -> None:
    await stage.begin()
    await stage.renew()
    second = (await stage.latest()).run_id
    assert await stage.do(stage.command(Verb.TERMINATE, "t")) == Accepted(second)
    assert not (await stage.latest()).is_open


async def test_a_terminate_without_a_target_finds_none(stage: Stage) -> None:
    assert await stage.do(stage.command(Verb.TERMINATE, "t")) == TargetMissing()


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_terminate_of_a_run_that_closed_by_itself_is_refused(stage: Stage, fresh: bool) -> None:
    run_id = await stage.begin()
    await stage.work(COMPLETED)
    outcome = await stage.do(stage.command(Verb.TERMINATE, "t"), fresh=fresh)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.run_id) == (RejectReason.ALREADY_DONE, run_id)


async def test_a_terminate_of_a_run_that_somebody_else_terminated_is_refused(stage: Stage) -> None:
    run_id = await stage.begin()
    await stage.do(stage.command(Verb.TERMINATE, "t", offset=1))
    outcome = await stage.do(stage.command(Verb.TERMINATE, "u", offset=2))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.run_id) == (RejectReason.ALREADY_DONE, run_id)


async def test_a_terminate_redelivered_never_reaches_a_newer_run(stage: Stage) -> None:
    first = await stage.begin("a", offset=1)
    command = stage.command(Verb.TERMINATE, "t")
    await stage.do(command)
    await stage.begin("b", offset=2)
    await stage.shown_as_closed(first)
    assert await stage.do(command) == Duplicate(first)
    assert (await stage.latest()).is_open


async def test_a_terminate_redelivered_never_reaches_a_newer_chain(stage: Stage) -> None:
    first = await stage.begin("a", offset=1)
    command = stage.command(Verb.TERMINATE, "t")
    await stage.do(command)
    await stage.begin("b", offset=2)
    await stage.renew()
    await stage.shown_as_closed(first)
    assert await stage.do(command) == Duplicate(first)
    assert (await stage.latest()).is_open


async def test_another_terminate_reaches_the_newer_run(stage: Stage) -> None:
    first = await stage.begin("a", offset=1)
    await stage.do(stage.command(Verb.TERMINATE, "t", offset=1))
    second = await stage.begin("b", offset=2)
    await stage.shown_as_closed(first)
    assert await stage.do(stage.command(Verb.TERMINATE, "u", offset=2)) == Accepted(second)


async def test_a_terminate_that_was_refused_never_reaches_a_run_that_was_begun_later(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    refused = stage.command(Verb.TERMINATE, "c")
    first = await stage.do(refused)
    second = await stage.begin("b", offset=2, timestamp_ms=refused.record.timestamp_ms + 1)
    again = await stage.do(refused)
    assert isinstance(first, Rejected)
    assert isinstance(again, Rejected)
    assert (first.reason, again.reason) == (RejectReason.ALREADY_DONE, RejectReason.ALREADY_DONE)
    latest = await stage.latest()
    assert (latest.run_id, latest.is_open, await stage.cancels(second)) == (second, True, 0)

"""The verb update on the real server: one update in history a command identity."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from bridge.dispatch import updates
from bridge.dispatch.failures import NoWorkerYetError
from bridge.dispatch.run import Run
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, Duplicate, Rejected, TargetMissing
from bridge.routes import Missing, Verb
from tests.engine import entity
from tests.engine.temporal_side import Stage
from topics.replies import RejectReason

IN_FLIGHT_MAX = 10  # the server's history.maxInFlightUpdates


async def turn(stage: Stage, what: str) -> None:
    await stage.client.get_workflow_handle(stage.workflow_id).signal("turn", what)


@pytest.mark.parametrize("fresh", [True, False])
async def test_an_update_is_accepted_by_the_open_run(stage: Stage, fresh: bool) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.UPDATE, "u")
    async with entity.worker(stage.client, stage.queue):
        assert await stage.do(command, fresh=fresh) == Accepted(run_id)
    (event,) = await stage.events(run_id, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
    request = event.workflow_execution_update_accepted_event_attributes.accepted_request
    assert (request.meta.update_id, request.input.name) == (command.request_id, "go")
    assert "bridge-command" in request.input.header.fields


async def test_an_update_repeated_on_the_open_run_is_one_update(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.UPDATE, "u")
    async with entity.worker(stage.client, stage.queue):
        assert [await stage.do(command) for _ in range(3)] == [Accepted(run_id)] * 3
    assert await stage.updates(run_id) == 1


async def test_an_update_repeated_on_its_closed_run_has_no_effect(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.UPDATE, "u")
    async with entity.worker(stage.client, stage.queue):
        await stage.do(command)
        await stage.terminate()
        assert await stage.do(command) == Accepted(run_id)
    assert await stage.updates(run_id) == 1


async def test_an_update_that_was_accepted_and_then_failed_is_accepted_however_often_it_comes(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.UPDATE, "u", data={"fail": True})
    async with entity.worker(stage.client, stage.queue):
        assert [await stage.do(command) for _ in range(2)] == [Accepted(run_id)] * 2
    assert await stage.updates(run_id) == 1


async def test_an_update_that_the_validator_refuses_is_refused_by_the_workflow(stage: Stage) -> None:
    run_id = await stage.begin()
    async with entity.worker(stage.client, stage.queue):
        outcome = await stage.do(stage.command(Verb.UPDATE, "u", data={"refuse": True}))
    assert outcome == Rejected(RejectReason.REFUSED_BY_WORKFLOW, "not like this", run_id)
    assert await stage.updates(run_id) == 0


async def test_an_update_that_the_workflow_does_not_know_is_refused_by_it(stage: Stage) -> None:
    run_id = await stage.begin()
    async with entity.worker(stage.client, stage.queue):
        outcome = await stage.do(stage.command(Verb.UPDATE, "u", update="fly"))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.run_id) == (RejectReason.REFUSED_BY_WORKFLOW, run_id)


async def test_an_update_without_a_target_finds_none(stage: Stage) -> None:
    assert await stage.do(stage.command(Verb.UPDATE, "u")) == TargetMissing()


async def test_an_update_of_a_closed_run_is_refused(stage: Stage) -> None:
    run_id = await stage.begin()
    await stage.terminate()
    outcome = await stage.do(stage.command(Verb.UPDATE, "u"))
    assert outcome == Rejected(RejectReason.ALREADY_DONE, "the run has closed", run_id)


async def test_an_update_redelivered_never_reaches_a_newer_run(stage: Stage) -> None:
    first = await stage.begin("a", offset=1)
    command = stage.command(Verb.UPDATE, "u")
    async with entity.worker(stage.client, stage.queue):
        await stage.do(command)
        await stage.terminate()
        second = await stage.begin("b", offset=2)
        await stage.shown_as_closed(first)
        assert await stage.do(command) == Duplicate(first)
    assert await stage.updates(second) == 0


@pytest.mark.parametrize("taken", [True, False])
async def test_a_run_that_continues_as_new_between_the_look_and_the_update_takes_it_once(
    stage: Stage, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await stage.begin()
    command = stage.command(Verb.UPDATE, "u")
    describe = stage.temporal.describe

    async def describe_before_it_goes_on(workflow_id: str, run_id: str = "") -> Run | None:
        monkeypatch.setattr(stage.temporal, "describe", describe)
        found = await describe(workflow_id, run_id)
        await turn(stage, "renew")
        async with asyncio.timeout(30):
            while (await stage.latest()).run_id == first:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)
        return found

    async with entity.worker(stage.client, stage.queue):
        if taken:
            await stage.do(command)
        monkeypatch.setattr(stage.temporal, "describe", describe_before_it_goes_on)
        outcome = await stage.do(command)
    second = (await stage.latest()).run_id
    assert outcome == Accepted(first if taken else second)
    assert [await stage.updates(run_id) for run_id in (first, second)] == ([1, 0] if taken else [0, 1])


async def test_an_update_redelivered_after_continue_as_new_is_not_repeated(stage: Stage) -> None:
    first = await stage.begin()
    command = stage.command(Verb.UPDATE, "u")
    async with entity.worker(stage.client, stage.queue):
        await stage.do(command)
        await turn(stage, "renew")
        await stage.shown_as_closed(first)
        second = (await stage.latest()).run_id
        assert await stage.do(command) == Duplicate(first)
    assert second != first
    assert await stage.updates(second) == 0


async def test_another_update_meets_the_newer_run(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    second = await stage.begin("b", offset=2)
    async with entity.worker(stage.client, stage.queue):
        assert await stage.do(stage.command(Verb.UPDATE, "u")) == Accepted(second)


async def test_an_update_that_ends_its_run_is_accepted_and_stays_so(stage: Stage) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.UPDATE, "u", data={"last": True})
    async with entity.worker(stage.client, stage.queue):
        assert await stage.do(command) == Accepted(run_id)
        await stage.shown_as_closed(run_id)
        assert await stage.do(command) == Accepted(run_id)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an update wait for its worker no longer than half a second."""
    monkeypatch.setattr(updates, "CALL_TIMEOUT", timedelta(seconds=0.5))


async def test_an_update_without_a_worker_is_asked_again_until_there_is_one(stage: Stage, hasty: None) -> None:
    run_id = await stage.begin()
    command = stage.command(Verb.UPDATE, "u")
    for _ in range(2):
        with pytest.raises(NoWorkerYetError, match="no worker has taken the update"):
            await stage.do(command)
    async with entity.worker(stage.client, stage.queue):
        assert await stage.do(command) == Accepted(run_id)
    assert await stage.updates(run_id) == 1


async def test_an_update_that_waits_for_a_worker_when_its_run_closes_is_refused(stage: Stage) -> None:
    await stage.begin()
    waiting = asyncio.create_task(stage.do(stage.command(Verb.UPDATE, "u")))
    handle = stage.client.get_workflow_handle(stage.workflow_id)
    async with asyncio.timeout(4):
        while stage.temporal._updates._asking == 0:  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0)
    await handle.terminate()
    outcome = await waiting
    assert isinstance(outcome, Rejected)
    assert outcome.reason is RejectReason.ALREADY_DONE


async def test_more_updates_than_a_run_takes_hold_their_key_only(stage: Stage, hasty: None) -> None:
    await stage.begin()
    commands = [stage.command(Verb.UPDATE, f"u{number}", offset=number) for number in range(IN_FLIGHT_MAX + 1)]
    found = await asyncio.gather(*(stage.do(command, fresh=True) for command in commands), return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["NoWorkerYetError"] * IN_FLIGHT_MAX + ["RunIsFullError"]


async def test_updates_without_a_worker_leave_room_for_others(stage: Stage, hasty: None) -> None:
    others = [stage.sibling() for _ in range(3)]
    narrow = Temporal(stage.client, stage.group, updates_max=2)
    for each in others:
        each.temporal = narrow
        await each.begin()
    found = await asyncio.gather(
        *(each.do(each.command(Verb.UPDATE, "u"), fresh=True) for each in others), return_exceptions=True
    )
    assert sorted("wait for their workflows already" in str(error) for error in found) == [False, False, True]


async def test_an_update_starts_what_is_missing_where_its_route_says_so(stage: Stage) -> None:
    command = stage.command(Verb.UPDATE, "u", missing=Missing.START)
    async with entity.worker(stage.client, stage.queue):
        outcomes = [await stage.do(command) for _ in range(2)]
    run = await stage.latest()
    assert outcomes == [Accepted(run.run_id, began=True)] * 2
    assert await stage.updates(run.run_id) == 1


async def test_an_update_that_is_refused_by_the_run_that_it_began_tells_of_the_run(stage: Stage) -> None:
    command = stage.command(Verb.UPDATE, "u", missing=Missing.START, data={"refuse": True})
    async with entity.worker(stage.client, stage.queue):
        outcome = await stage.do(command)
    run = await stage.latest()
    assert outcome == Rejected(RejectReason.REFUSED_BY_WORKFLOW, "not like this", run.run_id, began=True)


async def test_a_signal_starts_what_is_missing_where_its_route_says_so(stage: Stage) -> None:
    outcome = await stage.do(stage.command(Verb.SIGNAL, "s", missing=Missing.START))
    run = await stage.latest()
    assert outcome == Accepted(run.run_id, began=True)
    assert await stage.signals(run.run_id) == 1


async def test_a_signal_that_starts_what_is_missing_starts_nothing_that_has_closed(stage: Stage) -> None:
    run_id = await stage.begin()
    await stage.terminate()
    outcome = await stage.do(stage.command(Verb.SIGNAL, "s", missing=Missing.START))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is RejectReason.ALREADY_DONE
    assert (await stage.latest()).run_id == run_id


async def test_an_update_that_was_refused_never_reaches_a_run_that_was_begun_later(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    refused = stage.command(Verb.UPDATE, "c")
    first = await stage.do(refused)
    second = await stage.begin("b", offset=2, timestamp_ms=refused.record.timestamp_ms + 1)
    again = await stage.do(refused)
    assert isinstance(first, Rejected)
    assert isinstance(again, Rejected)
    assert (first.reason, again.reason) == (RejectReason.ALREADY_DONE, RejectReason.ALREADY_DONE)
    assert await stage.updates(second) == 0

"""The verb start on the real server: one run a command identity."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.outcome import Accepted, Duplicate, Rejected
from bridge.routes import Rerun, Verb
from tests.engine.temporal_side import COMPLETED, Stage
from topics.replies import RejectReason


async def test_a_start_begins_a_run_that_carries_its_mark(stage: Stage) -> None:
    command = stage.command(Verb.START, "a", offset=7)
    outcome = await stage.do(command, fresh=True)
    run = await stage.latest()
    assert outcome == Accepted(run.run_id, began=True)
    assert run.mark is not None
    assert run.mark.is_of(command)


async def test_the_same_record_again_is_accepted_again_on_the_same_run(stage: Stage) -> None:
    command = stage.command(Verb.START, "a")
    assert await stage.do(command) == await stage.do(command)
    assert len(await stage.listed(1)) == 1


async def test_the_same_record_is_accepted_again_after_its_run_has_closed(stage: Stage) -> None:
    command = stage.command(Verb.START, "a", rerun=Rerun.ALWAYS)
    first = await stage.do(command)
    await stage.work(COMPLETED)
    assert await stage.do(command) == first


async def test_the_same_record_is_accepted_again_after_its_run_has_continued_as_new(stage: Stage) -> None:
    command = stage.command(Verb.START, "a", rerun=Rerun.ALWAYS)
    first = await stage.do(command)
    await stage.renew()
    await stage.terminate()
    assert await stage.do(command) == first


async def test_a_run_that_continued_as_new_with_a_memo_of_its_own_is_known_by_the_first_of_its_chain(
    stage: Stage,
) -> None:
    command = stage.command(Verb.START, "a", rerun=Rerun.ALWAYS)
    first = await stage.do(command)
    await stage.renew(with_mark=False)
    assert await stage.do(command) == first
    await stage.terminate()
    assert await stage.do(command) == first
    assert len(await stage.listed(2)) == 2


async def test_another_record_with_the_same_identity_is_a_duplicate(stage: Stage) -> None:
    run_id = await stage.begin("a", offset=1)
    assert await stage.do(stage.command(Verb.START, "a", offset=2, partition=3)) == Duplicate(run_id)


async def test_another_command_while_the_run_is_open_is_already_running(stage: Stage) -> None:
    run_id = await stage.begin("a", offset=1)
    outcome = await stage.do(stage.command(Verb.START, "b", offset=2))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.run_id) == (RejectReason.ALREADY_RUNNING, run_id)


@pytest.mark.parametrize("rerun", [Rerun.AFTER_FAILURE, Rerun.ALWAYS])
async def test_another_command_runs_again_after_a_failure(stage: Stage, rerun: Rerun) -> None:
    first = await stage.begin("a", offset=1)
    await stage.terminate()
    outcome = await stage.do(stage.command(Verb.START, "b", offset=2, rerun=rerun))
    run = await stage.latest()
    assert outcome == Accepted(run.run_id, began=True)
    assert run.run_id != first


async def test_another_command_never_runs_again_where_the_route_says_so(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    outcome = await stage.do(stage.command(Verb.START, "b", offset=2, rerun=Rerun.NEVER))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is RejectReason.ALREADY_DONE


async def test_another_command_does_not_run_again_after_success(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.work(COMPLETED)
    outcome = await stage.do(stage.command(Verb.START, "b", offset=2))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is RejectReason.ALREADY_DONE


async def test_a_command_that_ran_again_is_accepted_again(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    again = stage.command(Verb.START, "b", offset=2)
    assert await stage.do(again) == await stage.do(again)


async def test_an_older_record_redelivered_after_a_newer_run_starts_nothing(stage: Stage) -> None:
    older = stage.command(Verb.START, "a", offset=1, rerun=Rerun.ALWAYS)
    await stage.do(older)
    await stage.terminate()
    newer = await stage.begin("b", offset=2, rerun=Rerun.ALWAYS)
    await stage.terminate()
    outcome = await stage.do(older)
    assert isinstance(outcome, Duplicate)
    assert (await stage.latest()).run_id == newer


async def test_a_duplicate_of_an_older_command_does_not_name_the_newer_run_as_its_own(stage: Stage) -> None:
    older = stage.command(Verb.START, "a", offset=1)
    await stage.do(older)
    await stage.terminate()
    await stage.begin("b", offset=2)
    assert await stage.do(older) == Duplicate(None)


async def test_a_resend_of_an_older_command_on_another_partition_starts_nothing(stage: Stage) -> None:
    await stage.begin("a", offset=1, rerun=Rerun.ALWAYS)
    await stage.terminate()
    newer = await stage.begin("b", offset=2, rerun=Rerun.ALWAYS)
    await stage.terminate()
    resent = stage.command(Verb.START, "a", partition=5, offset=90, rerun=Rerun.ALWAYS)
    assert isinstance(await stage.do(resent), Duplicate)
    assert (await stage.latest()).run_id == newer


async def end_by_failure(stage: Stage) -> None:
    await stage.terminate()


async def end_well(stage: Stage) -> None:
    await stage.work(COMPLETED)


@pytest.mark.parametrize("end", [end_by_failure, end_well])
async def test_a_start_that_was_refused_is_refused_again_with_the_same_words_after_the_open_run_has_closed(
    stage: Stage, end: Callable[[Stage], Awaitable[None]]
) -> None:
    run_id = await stage.begin("a", offset=1)
    refused = stage.command(Verb.START, "b", offset=2)
    first = await stage.do(refused, fresh=True)
    await end(stage)
    assert await stage.do(refused) == first
    assert (await stage.latest()).run_id == run_id


async def test_a_start_that_was_refused_is_refused_again_after_the_open_chain_has_continued_and_failed(
    stage: Stage,
) -> None:
    await stage.begin("a", offset=1)
    refused = stage.command(Verb.START, "b", offset=2)
    first = await stage.do(refused, fresh=True)
    await stage.renew()
    await stage.terminate()
    assert await stage.do(refused) == first


async def test_a_run_of_others_is_not_touched_while_it_is_open(stage: Stage) -> None:
    run_id = await stage.begin_elsewhere()
    outcome = await stage.do(stage.command(Verb.START, "a"))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.run_id) == (RejectReason.ALREADY_RUNNING, run_id)


async def test_eight_holders_of_one_record_start_one_run(stage: Stage) -> None:
    command = stage.command(Verb.START, "a")
    outcomes = await asyncio.gather(*(stage.do(command) for _ in range(8)))
    assert outcomes == [Accepted((await stage.latest()).run_id, began=True)] * 8


async def test_eight_records_of_one_command_start_one_run(stage: Stage) -> None:
    outcomes = await asyncio.gather(*(stage.do(stage.command(Verb.START, "a", offset=n)) for n in range(8)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Accepted", *["Duplicate"] * 7]
    assert len(await stage.listed(1)) == 1


async def test_eight_holders_of_a_command_that_runs_again_share_one_run(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    again = stage.command(Verb.START, "b", offset=2)
    outcomes = await asyncio.gather(*(stage.do(again) for _ in range(8)))
    assert outcomes == [Accepted((await stage.latest()).run_id, began=True)] * 8
    assert len(await stage.listed(2)) == 2

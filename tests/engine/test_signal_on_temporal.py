"""The verbs signal and signal-with-start on the real server: one signal a command identity."""

import asyncio

import pytest

from bridge.dispatch.run import Run
from bridge.outcome import Accepted, Duplicate, Rejected, TargetMissing
from bridge.routes import Rerun, Verb
from tests.engine.temporal_side import COMPLETED, Stage, now_ms
from topics.replies import RejectReason

BOTH = pytest.mark.parametrize("verb", [Verb.SIGNAL, Verb.SIGNAL_WITH_START])


@BOTH
@pytest.mark.parametrize("fresh", [True, False])
async def test_a_signal_reaches_the_open_run(stage: Stage, verb: Verb, fresh: bool) -> None:
    run_id = await stage.begin()
    assert await stage.do(stage.command(verb, "s"), fresh=fresh) == Accepted(run_id)
    assert await stage.signals(run_id) == 1


@BOTH
async def test_a_signal_repeated_on_the_open_run_is_one_signal(stage: Stage, verb: Verb) -> None:
    run_id = await stage.begin()
    command = stage.command(verb, "s")
    assert [await stage.do(command) for _ in range(3)] == [Accepted(run_id)] * 3
    assert await stage.signals(run_id) == 1


@BOTH
async def test_a_signal_repeated_on_its_closed_run_has_no_effect(stage: Stage, verb: Verb) -> None:
    run_id = await stage.begin()
    command = stage.command(verb, "s", rerun=Rerun.ALWAYS)
    await stage.do(command)
    await stage.terminate()
    assert await stage.do(command) == Accepted(run_id)
    assert (await stage.latest()).run_id == run_id


@BOTH
async def test_another_record_with_the_same_identity_is_one_signal(stage: Stage, verb: Verb) -> None:
    run_id = await stage.begin()
    for offset in (1, 2):
        await stage.do(stage.command(verb, "s", offset=offset, partition=offset))
    assert await stage.signals(run_id) == 1


async def test_a_signal_without_a_target_finds_none(stage: Stage) -> None:
    assert await stage.do(stage.command(Verb.SIGNAL, "s")) == TargetMissing()


async def test_a_signal_of_a_closed_run_is_refused(stage: Stage) -> None:
    await stage.begin()
    await stage.terminate()
    outcome = await stage.do(stage.command(Verb.SIGNAL, "s"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is RejectReason.ALREADY_DONE


@BOTH
async def test_a_signal_redelivered_after_continue_as_new_is_not_repeated(stage: Stage, verb: Verb) -> None:
    first = await stage.begin()
    command = stage.command(verb, "s")
    await stage.do(command)
    await stage.renew()
    second = (await stage.latest()).run_id
    assert second != first
    assert await stage.do(command) == Duplicate(first)
    assert await stage.signals(second) == 0


@BOTH
@pytest.mark.parametrize("taken", [True, False])
async def test_a_run_that_continues_as_new_between_the_look_and_the_signal_takes_it_once(
    stage: Stage, verb: Verb, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await stage.begin()
    command = stage.command(verb, "s")
    if taken:
        await stage.do(command)
    describe = stage.temporal.describe

    async def describe_before_it_goes_on(workflow_id: str, run_id: str = "") -> Run | None:
        monkeypatch.setattr(stage.temporal, "describe", describe)
        found = await describe(workflow_id, run_id)
        await stage.renew()
        return found

    monkeypatch.setattr(stage.temporal, "describe", describe_before_it_goes_on)
    outcome = await stage.do(command)
    second = (await stage.latest()).run_id
    assert outcome == Accepted(first if taken else second)
    assert [await stage.signals(run_id) for run_id in (first, second)] == ([1, 0] if taken else [0, 1])


@BOTH
async def test_a_signal_redelivered_after_two_continue_as_news_is_not_repeated(stage: Stage, verb: Verb) -> None:
    first = await stage.begin()
    command = stage.command(verb, "s")
    await stage.do(command)
    await stage.renew()
    await stage.renew()
    assert await stage.do(command) == Duplicate(first)
    assert await stage.signals((await stage.latest()).run_id) == 0


@BOTH
async def test_a_signal_redelivered_after_its_chain_has_closed_starts_nothing(stage: Stage, verb: Verb) -> None:
    first = await stage.begin()
    command = stage.command(verb, "s", rerun=Rerun.ALWAYS)
    await stage.do(command)
    await stage.renew()
    second = (await stage.latest()).run_id
    await stage.terminate()
    assert await stage.do(command) == Duplicate(first)
    assert (await stage.latest()).run_id == second


@BOTH
async def test_a_signal_redelivered_never_reaches_a_newer_run(stage: Stage, verb: Verb) -> None:
    first = await stage.begin("a", offset=1)
    command = stage.command(verb, "s")
    await stage.do(command)
    await stage.terminate()
    second = await stage.begin("b", offset=2)
    await stage.shown_as_closed(first)
    assert await stage.do(command) == Duplicate(first)
    assert await stage.signals(second) == 0


@BOTH
async def test_a_brokers_clock_that_is_ahead_does_not_hide_the_run_that_took_the_signal(
    stage: Stage, verb: Verb
) -> None:
    first = await stage.begin("a", offset=1)
    command = stage.command(verb, "s", timestamp_ms=now_ms() + 3000)
    await stage.do(command)
    await stage.terminate()
    second = await stage.begin("b", offset=2)
    await stage.shown_as_closed(first)
    assert await stage.do(command) == Duplicate(first)
    assert await stage.signals(second) == 0


@BOTH
async def test_a_signal_that_was_sent_before_the_calendar_began_is_taken_all_the_same(stage: Stage, verb: Verb) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    second = await stage.begin("b", offset=2)
    command = stage.command(verb, "s", time="0001-01-01T00:00:00+01:00")
    assert await stage.do(command) == Accepted(second)


async def test_a_signal_waits_for_nothing_but_a_new_signal_meets_the_newer_run(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    second = await stage.begin("b", offset=2)
    assert await stage.do(stage.command(Verb.SIGNAL, "s")) == Accepted(second)


@pytest.mark.parametrize("fresh", [True, False])
async def test_signal_with_start_begins_a_run_with_its_signal(stage: Stage, fresh: bool) -> None:
    outcome = await stage.do(stage.command(Verb.SIGNAL_WITH_START, "s"), fresh=fresh)
    run = await stage.latest()
    assert outcome == Accepted(run.run_id, began=True)
    assert await stage.signals(run.run_id) == 1


async def test_signal_with_start_redelivered_says_again_that_it_began_the_run(stage: Stage) -> None:
    command = stage.command(Verb.SIGNAL_WITH_START, "s")
    first = await stage.do(command, fresh=True)
    assert await stage.do(command) == first


async def test_signal_with_start_whose_first_attempt_lands_late_says_that_it_began_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = stage.command(Verb.SIGNAL_WITH_START, "s")
    describe = stage.temporal.describe

    async def describe_before_it_lands(workflow_id: str, run_id: str = "") -> Run | None:
        monkeypatch.setattr(stage.temporal, "describe", describe)
        found = await describe(workflow_id, run_id)
        await stage.temporal.signal_with_start(command, Rerun.NEVER)
        return found

    monkeypatch.setattr(stage.temporal, "describe", describe_before_it_lands)
    outcome = await stage.do(command)
    run_id = (await stage.latest()).run_id
    assert outcome == Accepted(run_id, began=True)
    assert await stage.signals(run_id) == 1


async def test_signal_with_start_redelivered_on_its_closed_run_says_again_that_it_began_it(stage: Stage) -> None:
    command = stage.command(Verb.SIGNAL_WITH_START, "s", rerun=Rerun.ALWAYS)
    first = await stage.do(command, fresh=True)
    await stage.terminate()
    assert await stage.do(command) == first


async def test_signal_with_start_redelivered_after_continue_as_new_says_again_that_it_began_the_chain(
    stage: Stage,
) -> None:
    command = stage.command(Verb.SIGNAL_WITH_START, "s")
    first = await stage.do(command, fresh=True)
    await stage.renew()
    assert await stage.do(command) == first


async def test_signal_with_start_of_another_command_does_not_say_that_it_began_the_run(stage: Stage) -> None:
    await stage.do(stage.command(Verb.SIGNAL_WITH_START, "s", offset=1))
    other = stage.command(Verb.SIGNAL_WITH_START, "t", offset=2)
    assert await stage.do(other) == Accepted((await stage.latest()).run_id, began=False)


async def test_signal_with_start_runs_again_after_a_failure(stage: Stage) -> None:
    first = await stage.begin()
    await stage.terminate()
    outcome = await stage.do(stage.command(Verb.SIGNAL_WITH_START, "s"), fresh=True)
    run = await stage.latest()
    assert run.run_id != first
    assert outcome == Accepted(run.run_id, began=True)


@pytest.mark.parametrize("rerun", [Rerun.NEVER, Rerun.AFTER_FAILURE])
async def test_signal_with_start_does_not_run_again_after_success(stage: Stage, rerun: Rerun) -> None:
    run_id = await stage.begin()
    await stage.work(COMPLETED)
    outcome = await stage.do(stage.command(Verb.SIGNAL_WITH_START, "s", rerun=rerun))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is RejectReason.ALREADY_DONE
    assert (await stage.latest()).run_id == run_id


async def test_eight_holders_of_one_signal_with_start_begin_one_run_with_one_signal(stage: Stage) -> None:
    command = stage.command(Verb.SIGNAL_WITH_START, "s")
    await asyncio.gather(*(stage.do(command) for _ in range(8)))
    (run_id,) = await stage.listed(1)
    assert await stage.signals(run_id) == 1


async def test_four_holders_of_four_commands_begin_one_run_with_four_signals(stage: Stage) -> None:
    commands = [stage.command(Verb.SIGNAL_WITH_START, f"s{n}", offset=n) for n in range(4)] * 4
    await asyncio.gather(*(stage.do(command) for command in commands))
    (run_id,) = await stage.listed(1)
    assert await stage.signals(run_id) == 4


async def test_a_signal_that_was_refused_never_reaches_a_run_that_was_begun_later(stage: Stage) -> None:
    await stage.begin("a", offset=1)
    await stage.terminate()
    refused = stage.command(Verb.SIGNAL, "c")
    first = await stage.do(refused)
    second = await stage.begin("b", offset=2, timestamp_ms=refused.record.timestamp_ms + 1)
    again = await stage.do(refused)
    assert isinstance(first, Rejected)
    assert isinstance(again, Rejected)
    assert (first.reason, again.reason) == (RejectReason.ALREADY_DONE, RejectReason.ALREADY_DONE)
    assert await stage.signals(second) == 0

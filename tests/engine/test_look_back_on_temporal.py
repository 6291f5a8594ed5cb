"""How a command that comes again is found on the runs before the latest one, and what that costs."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution

from bridge.dispatch import decision, history
from bridge.dispatch.failures import KeyMustWaitError, OverloadedError
from bridge.dispatch.run import Run
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, Duplicate
from bridge.routes import Rerun, Verb
from tests.engine.temporal_side import CALL, Stage

RENEWALS = 4


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the calls to Temporal by what they ask; wanted before the stage, which holds on to what is counted."""
    asked: Counter[str] = Counter()
    ask = Temporal._ask

    async def counting(self: Temporal, call: Callable[..., Awaitable[Any]], request: Any) -> Any:
        asked[type(request).__name__.removesuffix("Request")] += 1
        return await ask(self, call, request)

    monkeypatch.setattr(Temporal, "_ask", counting)
    return asked


@pytest.fixture
def exact_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command of some ms after a run's begin count as later."""
    monkeypatch.setattr(decision, "_TOLERANCE_MS", 0)


async def test_a_signal_of_a_long_chain_is_found_on_the_run_that_was_there_when_it_was_sent(
    calls: Counter[str], stage: Stage
) -> None:
    first_run = await stage.begin()
    command = stage.command(Verb.SIGNAL, "a")
    assert await stage.do(command) == Accepted(first_run)
    for _ in range(RENEWALS):
        await stage.renew()
    for histories in (RENEWALS, 0):  # the second time the chain is known
        calls.clear()
        assert await stage.do(command) == Duplicate(first_run)
        assert calls == Counter(
            DescribeWorkflowExecution=1, SignalWorkflowExecution=1, GetWorkflowExecutionHistory=histories
        )


async def test_runs_that_closed_before_a_command_was_sent_are_not_asked(calls: Counter[str], stage: Stage) -> None:
    await stage.begin()
    for _ in range(RENEWALS):
        await stage.renew()
    latest = await stage.latest()
    earlier = [run async for run in stage.temporal.earlier_runs(latest, latest.started_ms)]
    assert (earlier, calls["ListWorkflowExecutions"]) == ([], 0)


@pytest.mark.parametrize("verb", [Verb.START, Verb.SIGNAL_WITH_START])
async def test_commands_that_waited_for_the_first_run_of_an_id_ask_for_no_list(
    calls: Counter[str], stage: Stage, verb: Verb
) -> None:
    """A server allows some ten lists a second; after an outage thousands of such commands may come at once."""
    waited = [stage.command(Verb.SIGNAL, name) for name in "abc"]
    began = await stage.do(stage.command(verb, "first"))
    assert isinstance(began, Accepted)
    calls.clear()
    assert [await stage.do(command) for command in waited] == [Accepted(began.run_id)] * 3
    assert calls == Counter(DescribeWorkflowExecution=3, SignalWorkflowExecution=3)


async def test_runs_before_one_that_another_process_began_are_listed_once(
    calls: Counter[str], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, *waited = [stage.command(Verb.SIGNAL, name, time=f"2026-11-21T10:00:0{name}Z") for name in "123"]
    run_id = await stage.begin_elsewhere()
    for _ in range(2):  # visibility may not show yet what closed just before
        calls.clear()
        assert await stage.do(waited[0]) == Accepted(run_id)
        assert calls["ListWorkflowExecutions"] == 1
    monkeypatch.setattr(history, "_LISTED_AFTER_MS", 0)
    for lists, command in [(1, waited[0]), (0, waited[0]), (0, waited[1]), (1, early), (0, early)]:
        calls.clear()
        assert await stage.do(command) == Accepted(run_id)
        assert calls["ListWorkflowExecutions"] == lists


async def test_a_server_that_gives_no_more_lists_holds_up_the_key_that_needs_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its limit for lists is its own: fewer commands at once would help nobody."""
    await stage.begin_elsewhere()
    ask = stage.temporal._history._ask

    async def rationed(call: Callable[..., Awaitable[Any]], request: Any) -> Any:
        if isinstance(request, workflowservice.ListWorkflowExecutionsRequest):
            raise OverloadedError("namespace rate limit exceeded")
        return await ask(call, request)

    monkeypatch.setattr(stage.temporal._history, "_ask", rationed)
    with pytest.raises(KeyMustWaitError, match="list of earlier runs: namespace rate limit"):
        await stage.do(stage.command(Verb.SIGNAL, "a"))


async def test_a_run_that_began_again_is_not_taken_for_the_first(calls: Counter[str], stage: Stage) -> None:
    first_run = await stage.begin()
    command = stage.command(Verb.SIGNAL, "a")
    assert await stage.do(command) == Accepted(first_run)
    await stage.terminate()
    await stage.shown_as_closed(first_run)
    again = await stage.do(stage.command(Verb.SIGNAL_WITH_START, "b", rerun=Rerun.ALWAYS))
    assert isinstance(again, Accepted)
    assert again.run_id != first_run
    calls.clear()
    assert await stage.do(command) == Duplicate(first_run)
    assert calls["ListWorkflowExecutions"] == 1


async def test_a_signal_redelivered_after_its_run_was_reset_is_not_repeated(stage: Stage, exact_clocks: None) -> None:
    first_run = await stage.begin()
    await stage.work()
    command = stage.command(Verb.SIGNAL, "a")
    assert await stage.do(command) == Accepted(first_run)
    reset_run = await reset(stage, first_run)
    await stage.shown_as_closed(first_run)
    assert await stage.signals(reset_run) == 1  # carried over by the reset
    assert await stage.do(command) == Duplicate(first_run)
    assert await stage.signals(reset_run) == 1


async def test_a_signal_redelivered_after_a_reset_run_has_continued_as_new_is_not_repeated(
    stage: Stage, exact_clocks: None
) -> None:
    first_run = await stage.begin()
    await stage.work()
    command = stage.command(Verb.SIGNAL, "a")
    await stage.do(command)
    await reset(stage, first_run)
    await stage.renew()
    await stage.shown_as_closed(first_run)
    assert await stage.do(command) == Duplicate(first_run)
    assert await stage.signals((await stage.latest()).run_id) == 0


async def reset(stage: Stage, run_id: str) -> str:
    """Reset a run to its first workflow task, as an operator does; return the id of the run that takes over."""
    response = await stage.client.workflow_service.reset_workflow_execution(
        workflowservice.ResetWorkflowExecutionRequest(
            namespace=stage.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=stage.workflow_id, run_id=run_id),
            reason="by an operator",
            workflow_task_finish_event_id=4,
            request_id=f"reset-{run_id}",
        ),
        timeout=CALL,
    )
    return response.run_id


@pytest.mark.parametrize("verb", [Verb.SIGNAL, Verb.SIGNAL_WITH_START])
async def test_a_signal_whose_run_continues_as_new_while_it_is_looked_for_is_not_repeated(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, verb: Verb
) -> None:
    first_run = await stage.begin()
    command = stage.command(verb, "a")
    await stage.do(command)
    await continue_while_looked_for(stage, monkeypatch)
    outcome = await stage.do(command)
    assert outcome == Accepted(first_run)
    latest = await stage.latest()
    assert (latest.run_id != first_run, await stage.signals(latest.run_id)) == (True, 0)


@pytest.mark.parametrize("verb", [Verb.SIGNAL, Verb.SIGNAL_WITH_START])
async def test_a_signal_reaches_the_run_that_continues_while_earlier_ones_are_looked_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, verb: Verb
) -> None:
    first_run = await stage.begin()
    await continue_while_looked_for(stage, monkeypatch)
    outcome = await stage.do(stage.command(verb, "a"))
    latest = await stage.latest()
    assert (outcome, latest.run_id != first_run) == (Accepted(latest.run_id), True)
    assert [await stage.signals(run_id) for run_id in (first_run, latest.run_id)] == [0, 1]


async def continue_while_looked_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the run continue as new, once, between the look at the latest run and what follows from it."""
    earlier_runs = stage.temporal.earlier_runs
    renewals = [stage.renew]

    async def interrupted(latest: Run, since_ms: int) -> AsyncIterator[str]:
        if renewals:
            await renewals.pop()()
        async for run_id in earlier_runs(latest, since_ms):
            yield run_id

    monkeypatch.setattr(stage.temporal, "earlier_runs", interrupted)

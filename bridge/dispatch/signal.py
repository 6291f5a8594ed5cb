"""The verbs signal and signal-with-start: one signal in history a command identity."""

from bridge import mark
from bridge.command import Command
from bridge.dispatch import latest
from bridge.dispatch.failures import AlreadyStarted, Closed, KeyMustWaitError
from bridge.dispatch.reached import Reached
from bridge.dispatch.run import Run
from bridge.dispatch.start import ROUNDS_MAX
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, Duplicate, Outcome, Rejected, TargetMissing
from bridge.routes import Rerun, Verb
from topics.replies import RejectReason


async def signal(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:
    """Signal the latest run; a `fresh` command cannot have been handled before, so nothing is looked up."""
    answer = await latest.ask(temporal, command, temporal.signal, fresh=fresh)
    if isinstance(answer, Duplicate | Rejected):
        return answer
    if isinstance(answer, Reached):
        return Accepted(await _reached_run(temporal, command, answer, is_needed=command.done_to is not None))
    return await _closed(temporal, command) if isinstance(answer, Closed) else TargetMissing()


async def signal_with_start(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:
    """Signal the open run, or start one with the signal.

    The signal goes first: it has no effect where the same command reached the run before, be it open or closed.
    """
    for _ in range(ROUNDS_MAX):
        answer = await latest.ask(temporal, command, temporal.signal, fresh=fresh)
        if isinstance(answer, Rejected):
            return answer
        if isinstance(answer, Duplicate):
            # That it began the run must be told again also when the run has continued as new since.
            return Accepted(answer.run_id, began=True) if await _began(temporal, command, answer.run_id) else answer
        if isinstance(answer, Reached):
            return await _accepted(temporal, command, answer, fresh=fresh)
        was_there = isinstance(answer, Closed)
        answer = await temporal.signal_with_start(command, _rerun(command) if was_there else Rerun.NEVER)
        if isinstance(answer, Reached):
            # What an earlier attempt began, of which nobody heard, may have come between the look and this one.
            return await _accepted(temporal, command, answer, fresh=fresh)
        if was_there and isinstance(answer, AlreadyStarted):
            return await _closed(temporal, command)
        fresh = False  # somebody came between: look again, with care
    raise KeyMustWaitError(f"{command.workflow_id} keeps changing: another process holds the same record")


async def _accepted(temporal: Temporal, command: Command, reached: Reached, *, fresh: bool) -> Accepted:
    may_announce = command.route.verb is Verb.SIGNAL_WITH_START and bool(command.route.lifecycle)
    run_id = await _reached_run(temporal, command, reached, is_needed=may_announce or command.done_to is not None)
    began = reached.began or (not fresh and await _began(temporal, command, run_id))
    if run_id is None or not may_announce or run_id in temporal.known_runs:
        return Accepted(run_id, began)
    of_others = not began and await _is_of_others(temporal, command.workflow_id, run_id)
    if not of_others:  # else it is known only once that is in Kafka: a lane that is dropped before begins anew
        temporal.known_runs.add(run_id)
    return Accepted(run_id, began, of_others)


async def _reached_run(temporal: Temporal, command: Command, reached: Reached, *, is_needed: bool) -> str | None:
    """Return the run that was reached; an older server does not tell it, so it is the latest then."""
    if reached.run_id is not None or not is_needed:
        return reached.run_id
    run = await temporal.describe(command.workflow_id)
    return run.run_id if run is not None else None


async def _is_of_others(temporal: Temporal, workflow_id: str, run_id: str) -> bool:
    run: Run | None = await temporal.describe(workflow_id, run_id)
    if run is not None and not _is_announced(run, temporal.group) and run.run_id != run.first_run_id:
        # A workflow that continues as new with a memo and attributes of its own is looked after as its first run is.
        run = await temporal.describe(workflow_id, run.first_run_id)
    return run is not None and not _is_announced(run, temporal.group)


def _is_announced(run: Run, group: str) -> bool:
    """Return whether a sweep finds the run: ours by the search attribute, or another group's, which announces it."""
    return run.group == mark.group_text(group) or (run.mark is not None and run.mark.group != group)


async def _closed(temporal: Temporal, command: Command) -> Rejected:
    run = await temporal.describe(command.workflow_id)
    return Rejected(RejectReason.ALREADY_DONE, "the run has closed", run.run_id if run is not None else None)


def _rerun(command: Command) -> Rerun:
    """Return whether a closed id may run again: a plain signal starts what is missing, but nothing that has closed."""
    return command.route.rerun if command.route.verb is Verb.SIGNAL_WITH_START else Rerun.NEVER


async def _began(temporal: Temporal, command: Command, run_id: str | None) -> bool:
    """Return whether this record began the run: its `workflow.started` may have been lost in a crash."""
    run: Run | None = await temporal.describe(command.workflow_id, run_id or "")
    return run is not None and run.run_id == run.first_run_id and run.mark is not None and run.mark.is_of(command)

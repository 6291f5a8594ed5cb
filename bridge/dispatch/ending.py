"""How cancel and terminate go. The server dedupes neither, so each is pinned to its chain of runs and signed."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bridge.command import Command
from bridge.dispatch import decision
from bridge.dispatch.failures import Answer, KeyMustWaitError
from bridge.dispatch.reached import Reached
from bridge.dispatch.run import Run
from bridge.dispatch.start import ROUNDS_MAX
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, Duplicate, Outcome, Rejected, TargetMissing
from topics.replies import RejectReason

Ask: TypeAlias = Callable[[Command, str], Awaitable[Reached | Answer]]


async def end(temporal: Temporal, command: Command, ask: Ask) -> Outcome:
    """Ask the latest chain of runs to end; a redelivery never reaches a chain that began later.

    A command that is new to us is looked for as well: a producer may have sent it again, and the server cannot tell.
    """
    for _ in range(ROUNDS_MAX):
        latest = await temporal.describe(command.workflow_id)
        if latest is None:
            return TargetMissing()
        if found := await _taken_earlier(temporal, command, latest):
            return found
        if not latest.is_open:
            return Rejected(RejectReason.ALREADY_DONE, "the run has closed", latest.run_id)
        if decision.is_too_new_for(latest, command):
            return Rejected(RejectReason.ALREADY_DONE, "the run has closed")
        if isinstance(await ask(command, latest.first_run_id), Reached):
            return Accepted(latest.run_id)
    raise KeyMustWaitError(f"{command.workflow_id} keeps changing: another process holds the same record")


async def _taken_earlier(temporal: Temporal, command: Command, latest: Run) -> Outcome | None:
    if not latest.is_open and await temporal.is_ended_by(command, latest.run_id):
        return Duplicate(latest.run_id)
    first = latest
    if latest.first_run_id != latest.run_id:
        first = await temporal.describe(latest.workflow_id, latest.first_run_id) or latest
    if not decision.must_look_back(command, first.started_ms):
        return None
    async for run_id in temporal.earlier_runs(latest, decision.looked_back_to_ms(command)):
        if await temporal.is_ended_by(command, run_id):
            return Duplicate(run_id)
    return None

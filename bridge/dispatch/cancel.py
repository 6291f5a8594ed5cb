"""The verb cancel. The server dedupes no cancel, so each one is pinned to its chain of runs and signed."""

from bridge.command import Command
from bridge.dispatch import decision
from bridge.dispatch.start import ROUNDS_MAX
from bridge.dispatch.temporal import Reached, Run, Temporal
from bridge.errors import TemporalAwayError
from bridge.outcome import Accepted, Duplicate, Outcome, Rejected, TargetMissing
from topics.replies import RejectReason


async def cancel(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:  # noqa: ARG001 - all verbs' shape
    """Ask the latest chain of runs to cancel; a redelivery never reaches a chain that began later.

    A `fresh` command is looked for as well: a producer may have sent it again, and the server cannot tell.
    """
    for _ in range(ROUNDS_MAX):
        latest = await temporal.describe(command.workflow_id)
        if latest is None:
            return TargetMissing()
        if found := await _taken_earlier(temporal, command, latest):
            return found
        if not latest.is_open:
            return Rejected(RejectReason.ALREADY_DONE, "the run has closed", latest.run_id)
        if isinstance(await temporal.cancel(command, latest.first_run_id), Reached):
            return Accepted(latest.run_id)
    raise TemporalAwayError(f"{command.workflow_id} keeps changing: another process holds the same record")


async def _taken_earlier(temporal: Temporal, command: Command, latest: Run) -> Outcome | None:
    if not latest.is_open and await temporal.has_cancel_of(command, latest.run_id):
        return Duplicate(latest.run_id)
    first = latest
    if latest.first_run_id != latest.run_id:
        first = await temporal.describe(latest.workflow_id, latest.first_run_id) or latest
    if not decision.must_look_back(command, first.started_ms):
        return None
    async for run_id in temporal.earlier_runs(latest, decision.looked_back_to_ms(command)):
        if await temporal.has_cancel_of(command, run_id):
            return Duplicate(run_id)
    return None

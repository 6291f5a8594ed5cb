"""The verb update: one update in history a command identity, answered when the workflow has accepted it."""

from bridge.command import Command
from bridge.dispatch import latest
from bridge.dispatch.failures import AlreadyStarted, Closed, KeyMustWaitError, NotThere
from bridge.dispatch.reached import Reached, Refused
from bridge.dispatch.start import ROUNDS_MAX
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, Duplicate, Outcome, Rejected, TargetMissing
from bridge.routes import Missing, Rerun
from topics.replies import RejectReason


async def update(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:
    """Update the latest run; where there is none and the route says so, start it first."""
    for _ in range(ROUNDS_MAX):
        answer = await latest.ask(temporal, command, temporal.update, fresh=fresh)
        match answer:
            case Duplicate() | Rejected():
                return answer
            case Reached():
                return Accepted(answer.run_id, began=await _began(temporal, command) is not None)
            case Refused():
                began = await _began(temporal, command) is not None
                return Rejected(RejectReason.REFUSED_BY_WORKFLOW, answer.detail, answer.run_id, began=began)
            case Closed():
                run = await temporal.describe(command.workflow_id)
                run_id = run.run_id if run is not None else None
                began = await _began(temporal, command) is not None
                return Rejected(RejectReason.ALREADY_DONE, "the run has closed", run_id, began=began)
            case NotThere() if command.route.missing is not Missing.START:
                return TargetMissing()
        # Not one call, as a start with an update would be: what it began is not undone when no worker is there.
        started = await temporal.start(command, command.record_request_id, Rerun.NEVER)
        if isinstance(started, AlreadyStarted):
            fresh = False  # somebody came between: look again, with care
    raise KeyMustWaitError(f"{command.workflow_id} keeps changing: another process holds the same record")


async def _began(temporal: Temporal, command: Command) -> str | None:
    """Return the latest run if this very record began it, to hand it the update."""
    if command.route.missing is not Missing.START:
        return None
    run = await temporal.describe(command.workflow_id)
    if run is None or run.run_id != run.first_run_id or run.mark is None or not run.mark.is_of(command):
        return None
    return run.run_id

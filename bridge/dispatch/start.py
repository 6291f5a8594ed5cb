"""The verb start: one run a command identity."""

import dataclasses

from bridge.command import Command
from bridge.dispatch import decision
from bridge.dispatch.decision import RunAgain
from bridge.dispatch.failures import AlreadyStarted, KeyMustWaitError
from bridge.dispatch.reached import Reached
from bridge.dispatch.run import Run
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Accepted, Duplicate, Outcome
from bridge.routes import Rerun

ROUNDS_MAX = 5  # how often another holder of the record may come between


async def start(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:
    """Start the command's workflow, or find out why not, in one call, two or three."""
    answer = await temporal.start(command, command.record_request_id, Rerun.NEVER)
    if isinstance(answer, Reached):
        # The same answer for this record's redelivery, so that a reply lost in a crash is made again.
        return Accepted(answer.run_id, began=True)
    if isinstance(answer, AlreadyStarted) and answer.request_id.startswith(command.request_id + ":"):
        return Duplicate(answer.run_id)
    for _ in range(ROUNDS_MAX):
        outcome = await _follow(temporal, command, fresh=fresh)
        if outcome is not None:
            return outcome
    raise KeyMustWaitError(f"{command.workflow_id} keeps changing: another process holds the same record")


async def _follow(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome | None:
    latest = await _latest(temporal, command.workflow_id)
    if latest is None:  # retention took it since
        again = RunAgain(())
    else:
        began_ms = await _began_ms(temporal, latest)
        decided = decision.decide_start(command, latest, began_ms=began_ms, fresh=fresh)
        if not isinstance(decided, RunAgain):
            return decided
        again = decided
    # Not the record's own request id: two holders of the identity must share one run.
    answer = await temporal.start(command, command.request_id, command.route.rerun, again.earlier)
    return Accepted(answer.run_id, began=True) if isinstance(answer, Reached) else None


async def _latest(temporal: Temporal, workflow_id: str) -> Run | None:
    latest = await temporal.describe(workflow_id)
    if latest is None or latest.mark is not None or latest.run_id == latest.first_run_id:
        return latest
    # A workflow that continues as new with a memo of its own loses the mark; the first run of the chain has it.
    first = await temporal.describe(workflow_id, latest.first_run_id)
    return dataclasses.replace(latest, mark=first.mark if first is not None else None)


async def _began_ms(temporal: Temporal, latest: Run) -> int:
    if latest.is_open or latest.run_id == latest.first_run_id:
        return latest.started_ms
    first = await temporal.describe(latest.workflow_id, latest.first_run_id)
    return first.started_ms if first is not None else latest.started_ms

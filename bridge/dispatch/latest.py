"""Ask the latest run of a workflow id for a signal or an update, so that a redelivery has no second effect."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from bridge.command import Command
from bridge.dispatch import decision
from bridge.dispatch.failures import Answer, Closed, KeyMustWaitError, NotThere
from bridge.dispatch.reached import Reached
from bridge.dispatch.start import ROUNDS_MAX
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Duplicate, Rejected
from topics.replies import RejectReason

Found_co = TypeVar("Found_co", covariant=True)


class Ask(Protocol[Found_co]):
    """Asks the latest run, or the run `run_id`."""

    def __call__(self, command: Command, run_id: str = "") -> Awaitable[Found_co | Reached | Answer]: ...


async def ask(
    temporal: Temporal, command: Command, verb: Ask[Found_co], *, fresh: bool
) -> Duplicate | Rejected | Found_co | Reached | Answer:
    """Ask the latest run, unless one before it took the command, or refused it.

    A `fresh` command cannot have been handled before, so nothing is looked up.
    """
    if fresh:
        return await verb(command)
    for _ in range(ROUNDS_MAX):
        latest = await temporal.describe(command.workflow_id)
        if latest is None:
            return NotThere()
        if decision.must_look_back(command, latest.started_ms):
            async for run_id in temporal.earlier_runs(latest, decision.looked_back_to_ms(command)):
                # Such a run has closed: it gives the old outcome, or takes nothing.
                if isinstance(await verb(command, run_id), Reached):
                    return Duplicate(run_id)
        if latest.is_open and decision.is_too_new_for(latest, command):
            return Rejected(RejectReason.ALREADY_DONE, "the run has closed")
        # That very run: it may have continued as new by now, and the next one does not know what it took.
        answer = await verb(command, latest.run_id)
        if not (isinstance(answer, Closed) and latest.is_open):
            return answer
    raise KeyMustWaitError(f"{command.workflow_id} continues as new faster than it can be looked at")

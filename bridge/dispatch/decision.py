"""What a start means when its workflow id has run before. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from bridge.command import Command
from bridge.dispatch.temporal import Run
from bridge.outcome import Accepted, Duplicate, Rejected
from bridge.routes import Rerun
from topics.replies import RejectReason

CLOCK_TOLERANCE = timedelta(seconds=5)  # how far the brokers' and the servers' clocks may be apart


@dataclass(frozen=True, slots=True)
class RunAgain:
    """The policy lets the id run again; `earlier` are the request ids that the new run remembers."""

    earlier: tuple[str, ...]


Decision: TypeAlias = Accepted | Duplicate | Rejected | RunAgain


def decide_start(command: Command, latest: Run) -> Decision:
    """Return what becomes of a start, given the latest run of its workflow id."""
    mark = latest.mark
    if mark is not None:
        if mark.is_of(command):
            return Accepted(latest.first_run_id, began=True)
        if mark.request_id == command.request_id:
            return Duplicate(latest.first_run_id)
        if command.request_id in mark.earlier or mark.is_later_than(command):
            return Duplicate(None)  # its run came before this one, and is not known here
    if latest.is_open:
        return Rejected(RejectReason.ALREADY_RUNNING, "another run of this workflow id is open", latest.run_id)
    if not _may_run_again(command.route.rerun, latest):
        detail = f"this workflow id has run, and the route's rerun is {command.route.rerun.value}"
        return Rejected(RejectReason.ALREADY_DONE, detail, latest.run_id)
    return RunAgain(mark.known_request_ids if mark is not None else ())


def _may_run_again(rerun: Rerun, latest: Run) -> bool:
    return rerun is Rerun.ALWAYS or (rerun is Rerun.AFTER_FAILURE and latest.has_failed)


def looked_back_to_ms(command: Command) -> int:
    """Return the time, in ms since the epoch by the server's clock, before which no run can have met the command."""
    return max(0, command.created_ms - CLOCK_TOLERANCE // timedelta(milliseconds=1))


def must_look_back(command: Command, started_ms: int) -> bool:
    """Return whether a redelivered command may have met a run before the one that started at `started_ms`.

    A run that was there before the command was sent has been the latest ever since, so a redelivery meets what it met.
    """
    return started_ms > looked_back_to_ms(command)

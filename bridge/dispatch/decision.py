"""What a start means when its workflow id has run before. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from bridge.command import Command
from bridge.dispatch.run import Run
from bridge.outcome import Accepted, Duplicate, Rejected
from bridge.routes import Rerun
from topics.replies import RejectReason

CLOCK_TOLERANCE = timedelta(seconds=5)  # how far the brokers' and the servers' clocks may be apart
_TOLERANCE_MS = CLOCK_TOLERANCE // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class RunAgain:
    """The policy lets the id run again; `earlier` are the request ids that the new run remembers."""

    earlier: tuple[str, ...]


Decision: TypeAlias = Accepted | Duplicate | Rejected | RunAgain


def decide_start(command: Command, latest: Run, *, began_ms: int, fresh: bool) -> Decision:
    """Return what becomes of a start, given the latest run of its workflow id, and when its chain of runs began.

    Nothing remembers a start that was refused. So a run that was open when the command was written refuses it also
    after it has closed: else a redelivery would get another answer, or begin a run after all.
    """
    mark = latest.mark
    if mark is not None:
        if mark.is_of(command):
            return Accepted(latest.first_run_id, began=True)
        if mark.request_id == command.request_id:
            return Duplicate(latest.first_run_id)
        if command.request_id in mark.earlier or mark.is_later_than(command):
            return Duplicate(None)  # its run came before this one, and is not known here
    may_run = _may_run_again(command.route.rerun, latest)
    if latest.is_open or (_was_open(command, latest, began_ms) and not (fresh and may_run)):
        return Rejected(RejectReason.ALREADY_RUNNING, "another run of this workflow id was open", latest.first_run_id)
    if not may_run:
        detail = f"this workflow id has run, and the route's rerun is {command.route.rerun.value}"
        return Rejected(RejectReason.ALREADY_DONE, detail, latest.run_id)
    return RunAgain(mark.known_request_ids if mark is not None else ())


def _was_open(command: Command, latest: Run, began_ms: int) -> bool:
    """Return whether a run that has closed was open when the command was written, or began within 5 s after it.

    A start that was longer behind is one that an outage delayed: what runs meanwhile must not refuse it.
    """
    written_ms = command.record.timestamp_ms
    return began_ms - _TOLERANCE_MS <= written_ms < latest.closed_ms


def is_too_new_for(latest: Run, command: Command) -> bool:
    """Return whether a run was begun by a start that was written after the command, for an id that had run before.

    The command was refused then, as the run before had closed; or it would have been, had it not been delayed. One that
    can itself begin a run is for whichever there is.
    """
    mark = latest.mark
    return (
        not command.route.starts
        and mark is not None
        and bool(mark.earlier)
        and mark.recorded_ms > command.record.timestamp_ms
    )


def _may_run_again(rerun: Rerun, latest: Run) -> bool:
    return rerun is Rerun.ALWAYS or (rerun is Rerun.AFTER_FAILURE and latest.has_failed)


def looked_back_to_ms(command: Command) -> int:
    """Return the time, in ms since the epoch by the server's clock, before which no run can have met the command."""
    return max(0, command.created_ms - _TOLERANCE_MS)


def must_look_back(command: Command, started_ms: int) -> bool:
    """Return whether a redelivered command may have met a run before the one that started at `started_ms`.

    A run that was there before the command was sent has been the latest ever since, so a redelivery meets what it met.
    """
    return started_ms > looked_back_to_ms(command)

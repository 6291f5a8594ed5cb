"""What can become of a command: values, as all of them are expected. `label` is a metric's."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from topics.replies import DeadLetterReason, RejectReason


@dataclass(slots=True)  # not frozen, as it is what becomes of nearly every command: see `bridge.command.Command`
class Accepted:
    """The command is in effect, once; `began` tells that it began the run `run_id`.

    `of_others` tells that it is the first to have reached that run, and that nobody began it for us.
    """

    label: ClassVar[str] = "accepted"
    run_id: str | None
    began: bool = False
    of_others: bool = False


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another record with the same identity had the effect."""

    label: ClassVar[str] = "duplicate"
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A sound command that may not have an effect now: an answer, not a defect.

    `began` tells that it began the run `run_id` all the same, to hand it something that the run then did not take.
    """

    label: ClassVar[str] = "rejected"
    reason: RejectReason
    detail: str
    run_id: str | None = None
    began: bool = False


@dataclass(frozen=True, slots=True)
class TargetMissing:
    """There is no run of that workflow id, and never was within what Temporal retains: wait for it."""


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """The command's fault: for the dead-letter topic."""

    label: ClassVar[str] = "dead_lettered"
    reason: DeadLetterReason
    detail: str


Settled: TypeAlias = Accepted | Duplicate | Rejected | DeadLettered
Outcome: TypeAlias = Settled | TargetMissing

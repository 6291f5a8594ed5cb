"""The answer to each command: data of `bridge.replies`."""

from enum import StrEnum
from typing import Any

from topics.fields import Model
from topics.lifecycle import Failure, State


class ReplyOutcome(StrEnum):
    """What became of a command; the event's type is `command.` + the outcome."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    DONE = "done"

    @property
    def event_type(self) -> str:
        """The CloudEvents type of the reply."""
        return "command." + self


class RejectReason(StrEnum):
    """Why a sound command had no effect: an answer, not a defect."""

    ALREADY_RUNNING = "already_running"
    ALREADY_DONE = "already_done"
    REFUSED_BY_WORKFLOW = "refused_by_workflow"


class DeadLetterReason(StrEnum):
    """Why a command is in its dead-letter topic."""

    UNDECODABLE = "undecodable"
    UNROUTABLE = "unroutable"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    FORBIDDEN = "forbidden"
    TARGET_MISSING = "target_missing"
    REFUSED_BY_TEMPORAL = "refused_by_temporal"


class Reply(Model):
    """The answer to one command record; `time` is the record's timestamp (RFC 3339, UTC, ms)."""

    command_id: str
    command_source: str
    command_type: str
    topic: str
    partition: int
    offset: int
    time: str
    outcome: ReplyOutcome
    workflow_id: str | None = None
    run_id: str | None = None
    reason: str | None = None
    detail: str | None = None


class DoneReply(Reply):
    """The second answer to a command that asked for it: how the chain of runs that it began or reached has ended.

    `time` is still the command record's timestamp; `run_id` is the last run of the chain, `state` how that one ended,
    `closed_at` when (RFC 3339, UTC, ms). `result` is what the workflow returned, None where that is large, is no plain
    JSON, or there is none.
    """

    state: State
    closed_at: str
    failure: Failure | None = None
    result: Any = None

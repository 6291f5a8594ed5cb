"""How runs begin and end, as the server tells it: data of the `*.lifecycle` topics."""

from enum import StrEnum
from typing import Any

from topics.fields import Model


class State(StrEnum):
    """State of a run; the event's type is `workflow.` + the state."""

    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"
    CONTINUED_AS_NEW = "continued_as_new"

    @property
    def event_type(self) -> str:
        """The CloudEvents type that announces this state."""
        return f"workflow.{self}"


class Failure(Model):
    """Why a run failed: the type and message of its failure."""

    type: str
    message: str


class WorkflowStarted(Model):
    """A run began. Times are RFC 3339, UTC, ms."""

    workflow_id: str
    run_id: str
    first_run_id: str
    workflow_type: str
    namespace: str
    task_queue: str
    state: State
    command_id: str
    command_source: str
    command_type: str
    attempt: int


class WorkflowEnded(WorkflowStarted):
    """A run ended; `new_run_id` is the run that continues it, None at the end of the chain."""

    started_at: str
    closed_at: str
    duration_ms: int
    new_run_id: str | None = None
    failure: Failure | None = None


class WorkflowCompleted(WorkflowEnded):
    """A run ended well; `result` is what the workflow returned, there only where the command's route asks for it.

    It is None where that is large, is no plain JSON, or there is none.
    """

    result: Any = None

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
        return "workflow." + self


class Failure(Model):
    """Why a run failed: type and message of the deepest cause that says something; or `timeout`, or `terminated`."""

    type: str
    message: str


class WorkflowStarted(Model):
    """A run began. Times are RFC 3339, UTC, ms.

    `command_id`, `command_source` and `command_type` are those of the command that began the chain of runs, or reached
    it. A child or a scheduled run that has the bridge's search attribute and not its memo belongs to no command: they
    are None, and the event's time is the run's own start.
    """

    workflow_id: str
    run_id: str
    first_run_id: str
    workflow_type: str
    namespace: str
    task_queue: str
    state: State
    command_id: str | None
    command_source: str | None
    command_type: str | None
    attempt: int


class WorkflowEnded(WorkflowStarted):
    """A run ended; `new_run_id` is the run that continues it, None at the end of the chain.

    `failure` tells why the run failed, timed out or was terminated.
    """

    started_at: str
    closed_at: str
    duration_ms: int
    new_run_id: str | None = None
    failure: Failure | None = None


class WorkflowCompleted(WorkflowEnded):
    """A run ended well; `result` is what the workflow returned, there only where the command's route asks for it.

    It is None where that is over 64 KiB, is no plain JSON, or there is none.
    """

    result: Any = None

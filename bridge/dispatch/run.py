"""A run, as Describe tells it."""

from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from bridge import mark
from bridge.mark import Mark
from bridge.sealing import Sealing

FAILED = frozenset(
    {
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
    }
)
OPEN = frozenset(
    {
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED,
    }
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as Describe tells it; `mark` is None where the run is none of ours, `closed_ms` is 0 while it is open.

    `group` is the JSON text of its search attribute `BridgeGroup`, by which a sweep finds it.
    """

    workflow_id: str
    run_id: str
    first_run_id: str
    status: int
    started_ms: int
    mark: Mark | None
    closed_ms: int = 0
    group: bytes | None = None

    @property
    def is_open(self) -> bool:
        """Whether the run has not closed yet."""
        return self.status in OPEN

    @property
    def has_failed(self) -> bool:
        """Whether the run closed in a way that the policy `after_failure` counts as failure."""
        return self.status in FAILED


def of(info: WorkflowExecutionInfo, sealing: Sealing | None = None) -> Run:
    """Return the run that a description is about."""
    group = info.search_attributes.indexed_fields.get(mark.GROUP_ATTRIBUTE)
    return Run(
        workflow_id=info.execution.workflow_id,
        run_id=info.execution.run_id,
        first_run_id=info.first_run_id or info.execution.run_id,
        status=info.status,
        started_ms=milliseconds(info.start_time),
        mark=mark.in_memo(info.memo, sealing),
        closed_ms=milliseconds(info.close_time),
        group=group.data if group is not None else None,
    )


def milliseconds(time: Timestamp) -> int:
    """Return a server time in ms since the epoch, cut."""
    return time.ToMilliseconds()

"""How runs ended, as the server tells it: visibility finds them, the close event and Describe say the rest."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType, WorkflowExecutionStatus
from temporalio.api.failure.v1 import Failure as TemporalFailure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge import mark
from bridge.command import rfc3339
from bridge.errors import TemporalAwayError
from bridge.mark import Mark
from bridge.outcomes.lifecycle import End, RunFacts
from topics.lifecycle import Failure, State

CALL_TIMEOUT = timedelta(seconds=10)
PAGE_ROWS = 1000
FAILURE_CHARACTERS_MAX = 1000
CAUSES_MAX = 20

STATES: Mapping[int, State] = MappingProxyType(
    {
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED: State.COMPLETED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED: State.FAILED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED: State.CANCELLED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED: State.TERMINATED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: State.TIMED_OUT,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: State.CONTINUED_AS_NEW,
    }
)

_ATTRIBUTES: Mapping[int, str] = MappingProxyType(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "workflow_execution_completed_event_attributes",
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "workflow_execution_failed_event_attributes",
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "workflow_execution_timed_out_event_attributes",
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: (
            "workflow_execution_continued_as_new_event_attributes"
        ),
    }
)
"""The close events that can name a next run."""


@dataclass(frozen=True, slots=True)
class ClosedRun:
    """A row of visibility: a run of ours that has closed; `closed_ms` is since the epoch, cut."""

    workflow_id: str
    run_id: str
    state: State
    closed_ms: int
    mark: Mark | None


class Ends:
    """Asks one namespace which runs of one group have closed, and how."""

    def __init__(self, client: Client, group: str) -> None:
        self._service = client.workflow_service
        self.namespace = client.namespace
        self._group = group

    async def closed_between(self, from_ms: int, to_ms: int) -> AsyncIterator[list[ClosedRun]]:
        """Yield the runs that closed in that time, newest first, a page at a time."""
        # The upper bound matters: without it PostgreSQL walks all open runs, whose close time counts as year 9999.
        query = (
            f"{mark.GROUP_ATTRIBUTE} = '{self._group}' AND ExecutionStatus != 'Running' "
            f"AND CloseTime BETWEEN '{rfc3339(from_ms)}' AND '{rfc3339(to_ms)}'"
        )
        token = b""
        while True:
            request = workflowservice.ListWorkflowExecutionsRequest(
                namespace=self.namespace, query=query, page_size=PAGE_ROWS, next_page_token=token
            )
            page = await self._ask(self._service.list_workflow_executions, request)
            if page is None:
                return
            yield [_row(info) for info in page.executions if info.status in STATES]
            token = page.next_page_token
            if not token:
                return

    async def read(self, closed: ClosedRun) -> tuple[RunFacts, End] | None:
        """Return what the close event and Describe tell of a run; None where retention has taken it."""
        execution = WorkflowExecution(workflow_id=closed.workflow_id, run_id=closed.run_id)
        described = await self._ask(
            self._service.describe_workflow_execution,
            workflowservice.DescribeWorkflowExecutionRequest(namespace=self.namespace, execution=execution),
        )
        event = await self._close_event(execution)
        if described is None or event is None:
            return None
        info: WorkflowExecutionInfo = described.workflow_execution_info
        attempt = 1 if info.first_run_id == closed.run_id else await self._attempt(execution)
        facts = RunFacts(
            namespace=self.namespace,
            workflow_id=closed.workflow_id,
            run_id=closed.run_id,
            first_run_id=info.first_run_id or closed.run_id,
            workflow_type=info.type.name,
            task_queue=info.task_queue,
            attempt=attempt,
        )
        return facts, _end(closed.state, info, event)

    async def successor(self, facts: RunFacts, run_id: str) -> RunFacts:
        """Return the facts of the run that continues a run."""
        execution = WorkflowExecution(workflow_id=facts.workflow_id, run_id=run_id)
        return RunFacts(
            namespace=facts.namespace,
            workflow_id=facts.workflow_id,
            run_id=run_id,
            first_run_id=facts.first_run_id,
            workflow_type=facts.workflow_type,
            task_queue=facts.task_queue,
            attempt=await self._attempt(execution),
        )

    async def _close_event(self, execution: WorkflowExecution) -> HistoryEvent | None:
        request = workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self.namespace,
            execution=execution,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        response = await self._ask(self._service.get_workflow_execution_history, request)
        return response.history.events[-1] if response is not None and response.history.events else None

    async def _attempt(self, execution: WorkflowExecution) -> int:
        request = workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self.namespace, execution=execution, maximum_page_size=1
        )
        response = await self._ask(self._service.get_workflow_execution_history, request)
        if response is None or not response.history.events:
            return 1
        return max(1, int(response.history.events[0].workflow_execution_started_event_attributes.attempt))

    async def _ask(self, call: Any, request: Any) -> Any:
        try:
            return await call(request, retry=True, timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise TemporalAwayError(f"{error.status.name}: {error.message}") from error
        except RuntimeError as error:  # how the client says that it cannot connect
            raise TemporalAwayError(str(error)) from error


def _row(info: WorkflowExecutionInfo) -> ClosedRun:
    payload = info.memo.fields.get(mark.MEMO)
    return ClosedRun(
        workflow_id=info.execution.workflow_id,
        run_id=info.execution.run_id,
        state=STATES[info.status],
        closed_ms=info.close_time.ToMilliseconds(),
        mark=mark.read(payload) if payload is not None else None,
    )


def _end(state: State, info: WorkflowExecutionInfo, event: HistoryEvent) -> End:
    attributes = getattr(event, _ATTRIBUTES[event.event_type]) if event.event_type in _ATTRIBUTES else None
    failed = event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
    return End(
        state=state,
        started_ms=info.start_time.ToMilliseconds(),
        closed_ms=info.close_time.ToMilliseconds(),
        new_run_id=(attributes.new_execution_run_id or None) if attributes is not None else None,
        failure=failure(event.workflow_execution_failed_event_attributes.failure) if failed else None,
    )


def failure(failed: TemporalFailure) -> Failure:
    """Return the deepest cause of a failure: what wraps it says only that an activity or a child failed."""
    cause = failed
    for _ in range(CAUSES_MAX):
        if not cause.HasField("cause"):
            break
        cause = cause.cause
    kind = cause.WhichOneof("failure_info") or "failure"
    name = cause.application_failure_info.type if kind == "application_failure_info" else ""
    return Failure(type=name or kind.removesuffix("_info"), message=cause.message[:FAILURE_CHARACTERS_MAX])

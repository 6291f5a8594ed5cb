"""The questions that the bridge asks Temporal, one call each, answered with values."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Link, WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client
from temporalio.service import RPCError

from bridge import mark
from bridge.command import Command, rfc3339
from bridge.dispatch import failures, requests
from bridge.dispatch.failures import Answer
from bridge.errors import TemporalAwayError
from bridge.mark import Mark
from bridge.routes import Rerun

CALL_TIMEOUT = timedelta(seconds=10)
EARLIER_RUNS_MAX = 200
HISTORY_PAGE_EVENTS = 100

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

Response = TypeVar("Response")


@dataclass(frozen=True, slots=True)
class Run:
    """A run as Describe tells it; `mark` is None where the run is none of ours."""

    workflow_id: str
    run_id: str
    first_run_id: str
    status: int
    started_ms: int
    mark: Mark | None

    @property
    def is_open(self) -> bool:
        """Whether the run has not closed yet."""
        return self.status in OPEN

    @property
    def has_failed(self) -> bool:
        """Whether the run closed in a way that the policy `after_failure` counts as failure."""
        return self.status in FAILED


@dataclass(frozen=True, slots=True)
class Reached:
    """A request took effect, now or when it was made before, on the run `run_id`; `began` if it started the run."""

    run_id: str | None
    began: bool = False


class Temporal:
    """One namespace of one Temporal, as one bridge group sees it."""

    def __init__(self, client: Client, group: str) -> None:
        self._service = client.workflow_service
        self.namespace = client.namespace
        self.group = group

    async def start(
        self, command: Command, request_id: str, rerun: Rerun, earlier: tuple[str, ...] = ()
    ) -> Reached | Answer:
        """Start the command's workflow."""
        request = requests.start(
            command, namespace=self.namespace, group=self.group, request_id=request_id, rerun=rerun, earlier=earlier
        )
        response = await self._ask(self._service.start_workflow_execution, request)
        if isinstance(response, workflowservice.StartWorkflowExecutionResponse):
            return Reached(response.run_id, began=True)
        return response

    async def signal(self, command: Command, run_id: str = "") -> Reached | Answer:
        """Signal the latest run, or the run `run_id`; a repeated signal is `Reached` too, without effect."""
        request = requests.signal(command, namespace=self.namespace, group=self.group, run_id=run_id)
        response = await self._ask(self._service.signal_workflow_execution, request)
        if isinstance(response, workflowservice.SignalWorkflowExecutionResponse):
            return Reached(_linked_run(response.link))
        return response

    async def signal_with_start(self, command: Command, rerun: Rerun) -> Reached | Answer:
        """Signal the open run, or start one with the signal."""
        request = requests.signal_with_start(command, namespace=self.namespace, group=self.group, rerun=rerun)
        response = await self._ask(self._service.signal_with_start_workflow_execution, request)
        if isinstance(response, workflowservice.SignalWithStartWorkflowExecutionResponse):
            return Reached(response.run_id, began=response.started)
        return response

    async def cancel(self, command: Command, first_run_id: str) -> Reached | Answer:
        """Ask the chain of runs that began with `first_run_id` to cancel."""
        request = requests.cancel(command, namespace=self.namespace, group=self.group, first_run_id=first_run_id)
        response = await self._ask(self._service.request_cancel_workflow_execution, request)
        if isinstance(response, workflowservice.RequestCancelWorkflowExecutionResponse):
            return Reached(None)
        return response

    async def describe(self, workflow_id: str, run_id: str = "") -> Run | None:
        """Return the latest run of a workflow id, or the run `run_id`; None where Temporal knows none."""
        request = workflowservice.DescribeWorkflowExecutionRequest(
            namespace=self.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
        response = await self._ask(self._service.describe_workflow_execution, request)
        if isinstance(response, workflowservice.DescribeWorkflowExecutionResponse):
            return _run(response.workflow_execution_info)
        return None

    async def earlier_runs(self, latest: Run, since_ms: int) -> AsyncIterator[str]:
        """Yield the run ids before `latest` that were open at or after `since_ms`, at most 200.

        The chain is walked back by its own events, which do not lag; the chains before it are listed.
        """
        seen = {latest.run_id}
        before = await self._continued_run(latest.workflow_id, latest.run_id)
        while before is not None and len(seen) < EARLIER_RUNS_MAX:
            seen.add(before)
            yield before
            before = await self._continued_run(latest.workflow_id, before)
        literal = latest.workflow_id.replace("\\", "\\\\").replace("'", "''")
        request = workflowservice.ListWorkflowExecutionsRequest(
            namespace=self.namespace,
            query=f"WorkflowId = '{literal}' AND CloseTime >= '{rfc3339(since_ms)}'",
            page_size=EARLIER_RUNS_MAX,
        )
        response = await self._ask(self._service.list_workflow_executions, request)
        if isinstance(response, workflowservice.ListWorkflowExecutionsResponse):
            for info in response.executions:
                if info.execution.run_id not in seen:
                    yield info.execution.run_id

    async def has_cancel_of(self, command: Command, run_id: str) -> bool:
        """Return whether the run's last events hold this command's cancel request."""
        request = workflowservice.GetWorkflowExecutionHistoryReverseRequest(
            namespace=self.namespace,
            execution=WorkflowExecution(workflow_id=command.workflow_id, run_id=run_id),
            maximum_page_size=HISTORY_PAGE_EVENTS,
        )
        response = await self._ask(self._service.get_workflow_execution_history_reverse, request)
        if not isinstance(response, workflowservice.GetWorkflowExecutionHistoryReverseResponse):
            return False
        ours = requests.identity(self.group, command)
        return any(
            event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
            and event.workflow_execution_cancel_requested_event_attributes.identity == ours
            for event in response.history.events
        )

    async def _continued_run(self, workflow_id: str, run_id: str) -> str | None:
        request = workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=1,
        )
        response = await self._ask(self._service.get_workflow_execution_history, request)
        if not isinstance(response, workflowservice.GetWorkflowExecutionHistoryResponse):
            return None
        started = response.history.events[0].workflow_execution_started_event_attributes
        return started.continued_execution_run_id or None

    async def _ask(self, call: Callable[..., Awaitable[Response]], request: Any) -> Response | Answer:
        try:
            return await call(request, retry=False, timeout=CALL_TIMEOUT)
        except RPCError as error:
            return failures.meaning(error)
        except RuntimeError as error:  # how the client says that it cannot connect
            raise TemporalAwayError(str(error)) from error


def _linked_run(link: Link) -> str | None:
    return link.workflow_event.run_id or None


def _run(info: WorkflowExecutionInfo) -> Run:
    payload = info.memo.fields.get(mark.MEMO)
    return Run(
        workflow_id=info.execution.workflow_id,
        run_id=info.execution.run_id,
        first_run_id=info.first_run_id or info.execution.run_id,
        status=info.status,
        started_ms=milliseconds(info.start_time),
        mark=mark.read(payload) if payload is not None else None,
    )


def milliseconds(time: Timestamp) -> int:
    """Return a server time in ms since the epoch, cut."""
    return time.ToMilliseconds()

"""The questions that the bridge asks Temporal, one call each, answered with values."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Link, WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client
from temporalio.service import RPCError

from bridge import mark
from bridge.command import Command
from bridge.dispatch import failures, requests
from bridge.dispatch.failures import Answer
from bridge.dispatch.history import History
from bridge.dispatch.known import KnownRuns
from bridge.dispatch.reached import Reached, Refused
from bridge.dispatch.updates import UPDATES_MAX, Updates
from bridge.errors import TemporalAwayError
from bridge.mark import Mark
from bridge.routes import Rerun

CALL_TIMEOUT = timedelta(seconds=10)

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
    """A run as Describe tells it; `mark` is None where the run is none of ours, `closed_ms` is 0 while it is open."""

    workflow_id: str
    run_id: str
    first_run_id: str
    status: int
    started_ms: int
    mark: Mark | None
    closed_ms: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the run has not closed yet."""
        return self.status in OPEN

    @property
    def has_failed(self) -> bool:
        """Whether the run closed in a way that the policy `after_failure` counts as failure."""
        return self.status in FAILED


class Temporal:
    """One namespace of one Temporal, as one bridge group sees it."""

    def __init__(self, client: Client, group: str, updates_max: int = UPDATES_MAX) -> None:
        self._service = client.workflow_service
        self.namespace = client.namespace
        self.group = group
        self._history = History(client, self._ask)
        self._updates = Updates(client, self._ask, updates_max)
        self.known_runs = KnownRuns()

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

    async def terminate(self, command: Command, first_run_id: str) -> Reached | Answer:
        """Terminate the latest run of the chain that began with `first_run_id`."""
        request = requests.terminate(command, namespace=self.namespace, group=self.group, first_run_id=first_run_id)
        response = await self._ask(self._service.terminate_workflow_execution, request)
        if isinstance(response, workflowservice.TerminateWorkflowExecutionResponse):
            return Reached(None)
        return response

    async def update(self, command: Command, run_id: str = "") -> Reached | Refused | Answer:
        """Update the latest run, or the run `run_id`; a repeated update that was accepted is `Reached` too.

        Raises `NoWorkerYetError` where Temporal is there, and nobody takes the update.
        """
        request = requests.update(command, namespace=self.namespace, group=self.group, run_id=run_id)
        return await self._updates.ask(request)

    async def describe(self, workflow_id: str, run_id: str = "") -> Run | None:
        """Return the latest run of a workflow id, or the run `run_id`; None where Temporal knows none."""
        request = workflowservice.DescribeWorkflowExecutionRequest(
            namespace=self.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
        response = await self._ask(self._service.describe_workflow_execution, request)
        if isinstance(response, workflowservice.DescribeWorkflowExecutionResponse):
            return _run(response.workflow_execution_info)
        return None

    def earlier_runs(self, latest: Run, since_ms: int) -> AsyncIterator[str]:
        """Yield the run ids before `latest` that were open at or after `since_ms`, at most 200."""
        return self._history.earlier_runs(latest.workflow_id, latest.run_id, since_ms)

    async def is_ended_by(self, command: Command, run_id: str) -> bool:
        """Return whether the run's last events hold this command's cancel request or termination."""
        return await self._history.is_signed_by(requests.identity(self.group, command), command.workflow_id, run_id)

    async def _ask(self, call: Callable[..., Awaitable[Response]], request: Any) -> Response | Answer:
        try:
            return await call(request, retry=False, timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.__context__ is not None:
                # The client's future holds it, and its traceback the frame that holds the future: with that, all that
                # was there at the call stays until the next collection of garbage.
                error.__context__.__traceback__ = None
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
        closed_ms=milliseconds(info.close_time),
    )


def milliseconds(time: Timestamp) -> int:
    """Return a server time in ms since the epoch, cut."""
    return time.ToMilliseconds()

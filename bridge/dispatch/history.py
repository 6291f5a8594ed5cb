"""What the histories of a workflow id tell: which runs came before, and whether a command asked one to end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bridge.command import rfc3339

EARLIER_RUNS_MAX = 200
PAGE_EVENTS = 100

_SIGNED: Mapping[int, str] = MappingProxyType(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: (
            "workflow_execution_cancel_requested_event_attributes"
        ),
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "workflow_execution_terminated_event_attributes",
    }
)
"""The events of which the server keeps nothing of the request but who asked."""


class Ask(Protocol):
    """Makes one call: the response, or what its error means."""

    def __call__(self, call: Callable[..., Awaitable[Any]], request: Any) -> Awaitable[Any]: ...


class History:
    """Reads histories and visibility of one namespace."""

    def __init__(self, client: Client, ask: Ask) -> None:
        self._service = client.workflow_service
        self._namespace = client.namespace
        self._ask = ask

    async def earlier_runs(self, workflow_id: str, run_id: str, since_ms: int) -> AsyncIterator[str]:
        """Yield the run ids before the latest one, `run_id`, that were open at or after `since_ms`, at most 200.

        The chain is walked back by its own events, which do not lag; the chains before it are listed.
        """
        seen = {run_id}
        before = await self._continued_run(workflow_id, run_id)
        while before is not None and len(seen) < EARLIER_RUNS_MAX:
            seen.add(before)
            yield before
            before = await self._continued_run(workflow_id, before)
        literal = workflow_id.replace("\\", "\\\\").replace("'", "''")
        request = workflowservice.ListWorkflowExecutionsRequest(
            namespace=self._namespace,
            query=f"WorkflowId = '{literal}' AND CloseTime >= '{rfc3339(since_ms)}'",
            page_size=EARLIER_RUNS_MAX,
        )
        response = await self._ask(self._service.list_workflow_executions, request)
        if isinstance(response, workflowservice.ListWorkflowExecutionsResponse):
            for info in response.executions:
                if info.execution.run_id not in seen:
                    yield info.execution.run_id

    async def is_signed_by(self, identity: str, workflow_id: str, run_id: str) -> bool:
        """Return whether the run's last events hold a cancel request or a termination by `identity`."""
        request = workflowservice.GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=PAGE_EVENTS,
        )
        response = await self._ask(self._service.get_workflow_execution_history_reverse, request)
        if not isinstance(response, workflowservice.GetWorkflowExecutionHistoryReverseResponse):
            return False
        return any(
            getattr(event, _SIGNED[event.event_type]).identity == identity
            for event in response.history.events
            if event.event_type in _SIGNED
        )

    async def _continued_run(self, workflow_id: str, run_id: str) -> str | None:
        request = workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self._namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=1,
        )
        response = await self._ask(self._service.get_workflow_execution_history, request)
        if not isinstance(response, workflowservice.GetWorkflowExecutionHistoryResponse):
            return None
        started = response.history.events[0].workflow_execution_started_event_attributes
        return started.continued_execution_run_id or None

"""What happened, as Temporal's own list of runs and their histories tell it; no code of the bridge."""

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

ASK_TIMES = timedelta(seconds=60)
AT_ONCE = 32
PAGE = 1000
COMMAND_HEADER = "bridge-command"
RESETTER = "history-resetter"  # how the server signs the end of a run that a reset replaces
TIMED_OUT = {"type": "timeout", "message": "the timeout of the run, or of its chain, has passed"}
STATES: Mapping[int, str | None] = MappingProxyType(
    {
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING: None,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED: "completed",
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED: "failed",
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED: "cancelled",
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED: "terminated",
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: "timed_out",
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: "continued_as_new",
    }
)
_CLOSES: Mapping[str, str] = MappingProxyType(
    {
        "completed": "workflow_execution_completed_event_attributes",
        "failed": "workflow_execution_failed_event_attributes",
        "cancelled": "workflow_execution_canceled_event_attributes",
        "terminated": "workflow_execution_terminated_event_attributes",
        "timed_out": "workflow_execution_timed_out_event_attributes",
        "continued_as_new": "workflow_execution_continued_as_new_event_attributes",
    }
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run; `state` and what follows is None while it is open. `root` is the run whose command led to it."""

    workflow_id: str
    run_id: str
    first_run_id: str
    workflow_type: str
    task_queue: str
    attempt: int
    started_ms: int
    state: str | None = None
    closed_ms: int = 0
    new_run_id: str | None = None
    failure: Mapping[str, str] | None = None
    result: Any = None
    command_id: str | None = None
    root: tuple[str, str] = ("", "")


def runs(address: str, prefix: str) -> list[Run]:
    """Return every run whose workflow id begins so, oldest first."""

    async def ask() -> list[Run]:
        client = await Client.connect(address)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(listed: WorkflowExecutionInfo) -> Run:
            async with gate:  # the list lags: what it shows as open may have closed
                return await _run(client, (await _described(client, listed.execution)).workflow_execution_info)

        found = await asyncio.gather(*map(one, await _listed(client, prefix)))
        return sorted(found, key=lambda run: run.started_ms)

    return asyncio.run(ask())


async def _listed(client: Client, prefix: str) -> list[WorkflowExecutionInfo]:
    found: list[WorkflowExecutionInfo] = []
    token = b""
    while True:
        page = await client.workflow_service.list_workflow_executions(
            workflowservice.ListWorkflowExecutionsRequest(
                namespace=client.namespace,
                query=f"WorkflowId STARTS_WITH '{prefix}'",
                page_size=PAGE,
                next_page_token=token,
            ),
            timeout=ASK_TIMES,
        )
        found += page.executions
        token = page.next_page_token
        if not token:
            return found


async def _run(client: Client, info: WorkflowExecutionInfo) -> Run:
    began = (await _first(client, info.execution)).workflow_execution_started_event_attributes
    run = Run(
        workflow_id=info.execution.workflow_id,
        run_id=info.execution.run_id,
        first_run_id=began.first_execution_run_id,
        workflow_type=began.workflow_type.name,
        task_queue=began.task_queue.name,
        attempt=max(1, began.attempt),
        started_ms=info.start_time.ToNanoseconds() // 1_000_000,
        command_id=_command(began.header.fields),
        root=(began.root_workflow_execution.workflow_id, began.root_workflow_execution.run_id),
    )
    state = STATES[info.status]
    if state is None:
        return run
    event = await _last(client, info.execution)
    attributes: Any = getattr(event, _CLOSES[state])
    if state == "terminated" and attributes.identity == RESETTER:
        new_run_id = (await _described(client, info.execution)).workflow_extended_info.reset_run_id
    else:
        new_run_id = getattr(attributes, "new_execution_run_id", None) or None
    return dataclasses.replace(
        run,
        state=state,
        closed_ms=event.event_time.ToNanoseconds() // 1_000_000,
        new_run_id=new_run_id,
        failure=_failure(state, attributes),
        result=json.loads(attributes.result.payloads[0].data) if state == "completed" else None,
    )


def _failure(state: str, attributes: Any) -> Mapping[str, str] | None:
    match state:
        case "failed":
            return _deepest(attributes.failure)
        case "timed_out":
            return TIMED_OUT
        case "terminated":
            return {"type": "terminated", "message": attributes.reason}
        case _:
            return None


def _deepest(failure: Failure) -> Mapping[str, str]:
    while failure.HasField("cause"):
        failure = failure.cause
    return {"type": failure.application_failure_info.type, "message": failure.message}


def _command(fields: Any) -> str | None:
    return str(json.loads(fields[COMMAND_HEADER].data)["id"]) if COMMAND_HEADER in fields else None


async def _first(client: Client, execution: WorkflowExecution) -> HistoryEvent:
    page = await client.workflow_service.get_workflow_execution_history(
        workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=client.namespace, execution=execution, maximum_page_size=1
        ),
        timeout=ASK_TIMES,
    )
    return page.history.events[0]


async def _last(client: Client, execution: WorkflowExecution) -> HistoryEvent:
    """Return the event as it is kept: asked for close events alone, the server shows a retry as a continue-as-new.

    It is read from the begin: backwards, a server that has just come back may show nothing.
    """
    request = workflowservice.GetWorkflowExecutionHistoryRequest(namespace=client.namespace, execution=execution)
    events: list[HistoryEvent] = []
    while True:
        page = await client.workflow_service.get_workflow_execution_history(request, timeout=ASK_TIMES)
        events += page.history.events
        if not page.next_page_token:
            assert events, f"{execution.workflow_id} has no last event"
            return events[-1]
        request.next_page_token = page.next_page_token


async def _described(client: Client, execution: WorkflowExecution) -> Any:
    return await client.workflow_service.describe_workflow_execution(
        workflowservice.DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution),
        timeout=ASK_TIMES,
    )

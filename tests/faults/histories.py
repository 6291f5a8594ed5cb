"""The independent reader of Temporal: gRPC's own client and the server's messages, no SDK, no code of ours."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]  # it ships no types
import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent

from tests.faults.evidence import Effect, Run

ASK_SECONDS = 60.0  # a server on a machine with other work answers late
AT_ONCE = 32
PAGE = 1000
COMMAND_HEADER = "bridge-command"
RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "waitForReady": True,
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ]
}
OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.service_config", json.dumps(RETRIES)),
    ("grpc.use_local_subchannel_pool", 1),  # else a connection of an earlier test may be on its way out
)


def runs(address: str, namespace: str, prefixes: Iterable[str]) -> list[Run]:
    """Return every run whose workflow id begins so, oldest first, as the server lists them."""
    query = " OR ".join(f"WorkflowId STARTS_WITH '{prefix}'" for prefix in prefixes)
    request = workflowservice.ListWorkflowExecutionsRequest(namespace=namespace, query=query, page_size=PAGE)
    with service(address) as stub:
        listed = [one for page in _pages(stub.ListWorkflowExecutions, request) for one in page.executions]
    listed.sort(key=lambda info: info.start_time.ToNanoseconds())
    running = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
    continued = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
    return [
        Run(one.execution.workflow_id, one.execution.run_id, one.status != running, one.status == continued)
        for one in listed
    ]


def effects(address: str, namespace: str, of: Iterable[Run]) -> list[Effect]:
    """Return the commands in the histories of runs, in order."""
    with service(address) as stub, ThreadPoolExecutor(AT_ONCE) as pool:

        def read(run: Run) -> list[Effect]:
            request = workflowservice.GetWorkflowExecutionHistoryRequest(
                namespace=namespace,
                execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
                maximum_page_size=PAGE,
            )
            pages = _pages(stub.GetWorkflowExecutionHistory, request)
            return list(_effects(run, [event for page in pages for event in page.history.events]))

        return [effect for found in pool.map(read, of) for effect in found]


@contextmanager
def service(address: str) -> Iterator[Any]:
    """Give the server's calls."""
    with grpc.insecure_channel(address, OPTIONS) as channel:
        yield workflowservice.WorkflowServiceStub(channel)


def _pages(call: Callable[..., Any], request: Any) -> Iterator[Any]:
    while True:
        page = call(request, timeout=ASK_SECONDS)
        yield page
        request.next_page_token = page.next_page_token
        if not page.next_page_token:
            return


def _effects(run: Run, events: Iterable[HistoryEvent]) -> Iterable[Effect]:
    for event in events:
        at_ms = event.event_time.ToNanoseconds() / 1e6
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            if not started.continued_execution_run_id:
                yield Effect(_cid(started.header), run.workflow_id, run.run_id, "started", at_ms)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            signalled = event.workflow_execution_signaled_event_attributes
            yield Effect(_cid(signalled.header), run.workflow_id, run.run_id, "signalled", at_ms)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            request = event.workflow_execution_update_accepted_event_attributes.accepted_request
            yield Effect(_cid(request.input.header), run.workflow_id, run.run_id, "updated", at_ms)


def _cid(header: Any) -> str:
    return str(json.loads(header.fields[COMMAND_HEADER].data)["id"])

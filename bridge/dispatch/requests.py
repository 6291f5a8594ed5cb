"""The requests to Temporal, made of a command. Raw, as the SDK's own calls draw a new request id each time."""

import json

from temporalio.api.common.v1 import Header, Memo, Payloads, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from bridge import mark
from bridge.command import Command
from bridge.routes import Argument, Rerun
from topics.envelope import CLOUDEVENTS_SPECVERSION

COMMAND_HEADER = "bridge-command"
TRACER_HEADER = "_tracer-data"  # temporalio.contrib.opentelemetry's, and the other SDKs' own

REUSE_POLICIES = {
    Rerun.NEVER: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    Rerun.AFTER_FAILURE: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    Rerun.ALWAYS: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
}


def identity(group: str, command: Command) -> str:
    """Return who we are in an event of the history: a cancel's is all that tells later whose it was."""
    return f"bridge/{group}/{command.request_id}"


def start(
    command: Command, *, namespace: str, group: str, request_id: str, rerun: Rerun, earlier: tuple[str, ...] = ()
) -> StartWorkflowExecutionRequest:
    """Return the request that starts the command's workflow under `rerun`."""
    return StartWorkflowExecutionRequest(
        namespace=namespace,
        workflow_id=command.workflow_id,
        workflow_type=WorkflowType(name=command.route.workflow or ""),
        task_queue=TaskQueue(name=command.route.task_queue or ""),
        input=_argument(command),
        identity=identity(group, command),
        request_id=request_id,
        workflow_id_reuse_policy=REUSE_POLICIES[rerun],
        memo=Memo(fields={mark.MEMO: mark.memo(mark.of(command, group, earlier))}),
        search_attributes=SearchAttributes(indexed_fields=mark.search_attributes(command, group)),
        header=header(command),
    )


def signal(command: Command, *, namespace: str, group: str, run_id: str = "") -> SignalWorkflowExecutionRequest:
    """Return the request that signals the latest run, or the run `run_id`."""
    return SignalWorkflowExecutionRequest(
        namespace=namespace,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id, run_id=run_id),
        signal_name=command.route.signal or "",
        input=_argument(command),
        identity=identity(group, command),
        request_id=command.request_id,
        header=header(command),
    )


def signal_with_start(
    command: Command, *, namespace: str, group: str, rerun: Rerun
) -> SignalWithStartWorkflowExecutionRequest:
    """Return the request that signals the open run, or starts one with the signal; the workflow gets no argument."""
    return SignalWithStartWorkflowExecutionRequest(
        namespace=namespace,
        workflow_id=command.workflow_id,
        workflow_type=WorkflowType(name=command.route.workflow or ""),
        task_queue=TaskQueue(name=command.route.task_queue or ""),
        signal_name=command.route.signal or "",
        signal_input=_argument(command),
        identity=identity(group, command),
        request_id=command.request_id,
        workflow_id_reuse_policy=REUSE_POLICIES[rerun],
        memo=Memo(fields={mark.MEMO: mark.memo(mark.of(command, group))}),
        search_attributes=SearchAttributes(indexed_fields=mark.search_attributes(command, group)),
        header=header(command),
    )


def cancel(command: Command, *, namespace: str, group: str, first_run_id: str) -> RequestCancelWorkflowExecutionRequest:
    """Return the request that cancels the chain of runs which began with `first_run_id`, and no other."""
    reason = command.fields.get("reason")
    return RequestCancelWorkflowExecutionRequest(
        namespace=namespace,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id),
        identity=identity(group, command),
        request_id=command.request_id,
        first_execution_run_id=first_run_id,
        reason=reason if isinstance(reason, str) else "",
    )


def header(command: Command) -> Header:
    """Return what tells a workflow of any language which command reached it, and its trace."""
    reference = {
        "id": command.identity.id,
        "source": command.identity.source,
        "type": command.identity.type,
        "time": command.attributes.get("time"),
    }
    if command.correlation_id != command.identity.id:
        reference["correlationid"] = command.correlation_id
    carrier = {"traceparent": command.traceparent}
    if command.tracestate is not None:
        carrier["tracestate"] = command.tracestate
    return Header(
        fields={
            COMMAND_HEADER: mark.json_payload(json.dumps(reference).encode()),
            TRACER_HEADER: mark.json_payload(json.dumps(carrier).encode()),
        }
    )


def _argument(command: Command) -> Payloads:
    text = command.data if command.route.argument is Argument.DATA else event_json(command)
    return Payloads(payloads=[mark.json_payload(text)])


def event_json(command: Command) -> bytes:
    """Return the whole CloudEvent in its JSON format; the data are spliced in as they were sent."""
    attributes = {
        **command.attributes,
        "specversion": CLOUDEVENTS_SPECVERSION,
        "datacontenttype": "application/json",
        "correlationid": command.correlation_id,
        "traceparent": command.traceparent,
    }
    if command.tracestate is not None:
        attributes["tracestate"] = command.tracestate
    # Not escaped: what is within our limit for a record must not grow beyond Temporal's for a payload.
    text = json.dumps(attributes, separators=(",", ":"), ensure_ascii=False).encode()
    return text[:-1] + b',"data":' + command.data + b"}"

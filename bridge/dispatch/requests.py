"""The requests to Temporal, made of a command. Raw, as the SDK's own calls draw a new request id each time."""

import pydantic_core
from temporalio.api.common.v1 import Header, Memo, Payloads, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as UpdateStage
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, WaitPolicy
from temporalio.api.update.v1 import Request as UpdateRequest
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from bridge import mark, tracecontext
from bridge.callback import HEADER, Signer
from bridge.command import Command
from bridge.dispatch import form, priority
from bridge.dispatch.form import COMMAND_HEADER, TRACER_HEADER
from bridge.routes import Argument, Rerun
from bridge.sealing import Sealing
from topics.envelope import CLOUDEVENTS_SPECVERSION


def identity(group: str, command: Command) -> str:
    """Return who we are in an event of the history: a cancel's is all that tells later whose it was."""
    return f"bridge/{group}/{command.request_id}"


def start(
    command: Command,
    *,
    namespace: str,
    group: str,
    request_id: str,
    rerun: Rerun,
    earlier: tuple[str, ...] = (),
    signer: Signer | None = None,
    sealing: Sealing | None = None,
) -> bytes:
    """Return the request that starts the command's workflow under `rerun`.

    It is a `StartWorkflowExecutionRequest`, serialized. With a `signer` the server calls back when the run has ended.
    With `sealing` the argument is encrypted; what says whose run it is stays as it is.
    """
    route, url = command.route, signer.url if signer is not None else None
    workflow, task_queue = route.workflow or "", route.task_queue or ""
    paper = form.pad(namespace, group, workflow, task_queue, route.run_timeout, rerun, url).form()
    request = paper.request
    request.workflow_id = command.workflow_id
    request.identity = identity(group, command)
    request.request_id = request_id
    if sealing is None:
        paper.argument.data = _argument_text(command)
    else:
        sealing.fill(paper.argument, _argument_text(command))
    paper.memo.data = mark.memo_text(mark.of(command, group, earlier))
    paper.ids.data = mark.ids_text(command)
    paper.command.data = _command_text(command)
    paper.carrier.data = _carrier_text(command)
    if signer is not None and paper.callback is not None:
        paper.callback[HEADER] = signer.token(namespace, request_id, command.workflow_id)
    if (wanted := priority.of(command)) is not None:
        request.priority.CopyFrom(wanted)
    else:
        request.ClearField("priority")
    return request.SerializeToString()


def signal(
    command: Command, *, namespace: str, group: str, run_id: str = "", sealing: Sealing | None = None
) -> SignalWorkflowExecutionRequest:
    """Return the request that signals the latest run, or the run `run_id`."""
    return SignalWorkflowExecutionRequest(
        namespace=namespace,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id, run_id=run_id),
        signal_name=command.route.signal or "",
        input=_argument(command, sealing),
        identity=identity(group, command),
        request_id=command.request_id,
        header=header(command),
    )


def signal_with_start(
    command: Command, *, namespace: str, group: str, rerun: Rerun, sealing: Sealing | None = None
) -> SignalWithStartWorkflowExecutionRequest:
    """Return the request that signals the open run, or starts one with the signal; the workflow gets no argument."""
    return SignalWithStartWorkflowExecutionRequest(
        namespace=namespace,
        workflow_id=command.workflow_id,
        workflow_type=WorkflowType(name=command.route.workflow or ""),
        task_queue=TaskQueue(name=command.route.task_queue or ""),
        signal_name=command.route.signal or "",
        signal_input=_argument(command, sealing),
        identity=identity(group, command),
        request_id=command.request_id,
        workflow_id_reuse_policy=form.REUSE_POLICIES[rerun],
        memo=Memo(fields={mark.MEMO: mark.memo(mark.of(command, group))}),
        search_attributes=SearchAttributes(indexed_fields=mark.search_attributes(command, group)),
        header=header(command),
        workflow_run_timeout=form.duration(command.route.run_timeout),
        priority=priority.of(command),
    )


def update(
    command: Command, *, namespace: str, group: str, run_id: str = "", sealing: Sealing | None = None
) -> UpdateWorkflowExecutionRequest:
    """Return the request that updates the latest run, or the run `run_id`, and is answered once that has accepted."""
    return UpdateWorkflowExecutionRequest(
        namespace=namespace,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id, run_id=run_id),
        wait_policy=WaitPolicy(
            lifecycle_stage=UpdateStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
        ),
        request=UpdateRequest(
            meta=Meta(update_id=command.request_id, identity=identity(group, command)),
            input=Input(header=header(command), name=command.route.update or "", args=_argument(command, sealing)),
        ),
    )


def cancel(command: Command, *, namespace: str, group: str, first_run_id: str) -> RequestCancelWorkflowExecutionRequest:
    """Return the request that cancels the chain of runs which began with `first_run_id`, and no other."""
    return RequestCancelWorkflowExecutionRequest(
        namespace=namespace,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id),
        identity=identity(group, command),
        request_id=command.request_id,
        first_execution_run_id=first_run_id,
        reason=_reason(command),
    )


def terminate(command: Command, *, namespace: str, group: str, first_run_id: str) -> TerminateWorkflowExecutionRequest:
    """Return the request that terminates the chain of runs which began with `first_run_id`, and no other."""
    return TerminateWorkflowExecutionRequest(
        namespace=namespace,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id),
        identity=identity(group, command),
        first_execution_run_id=first_run_id,
        reason=_reason(command),
        details=Payloads(payloads=[mark.json_payload(pydantic_core.to_json(_reference(command)))]),
    )


def header(command: Command) -> Header:
    """Return what tells a workflow of any language which command reached it, and its trace."""
    texts = {COMMAND_HEADER: _command_text(command), TRACER_HEADER: _carrier_text(command)}
    return Header(fields={name: mark.json_payload(text) for name, text in texts.items()})


def _command_text(command: Command) -> bytes:
    return pydantic_core.to_json(_reference(command))


def _carrier_text(command: Command) -> bytes:
    span = command.call or command.span
    parent = command.traceparent if span is None else tracecontext.with_span(command.traceparent, span)
    carrier = {"traceparent": parent}
    if command.tracestate is not None:
        carrier["tracestate"] = command.tracestate
    return pydantic_core.to_json(carrier)


def _reference(command: Command) -> dict[str, str | None]:
    source, command_id, command_type = command.identity
    time, correlation_id = command.attributes.get("time"), command.correlation_id
    reference = {"id": command_id, "source": source, "type": command_type, "time": time}
    if correlation_id != command_id:
        reference["correlationid"] = correlation_id
    return reference


def _reason(command: Command) -> str:
    reason = command.fields.get("reason")
    return reason if isinstance(reason, str) else ""


def _argument(command: Command, sealing: Sealing | None) -> Payloads:
    argument = mark.json_payload(_argument_text(command))
    if sealing is not None:
        sealing.fill(argument, argument.data)
    return Payloads(payloads=[argument])


def _argument_text(command: Command) -> bytes:
    return command.data if command.route.argument is Argument.DATA else event_json(command)


def event_json(command: Command) -> bytes:
    """Return the whole CloudEvent in its JSON format; the data are spliced in as they were sent."""
    attributes = {
        **command.attributes,
        "specversion": CLOUDEVENTS_SPECVERSION,
        "datacontenttype": "application/json",
        "correlationid": command.correlation_id,
        "traceparent": (
            command.traceparent if command.span is None else tracecontext.with_span(command.traceparent, command.span)
        ),
    }
    if command.tracestate is not None:
        attributes["tracestate"] = command.tracestate
    # Not escaped: what is within our limit for a record must not grow beyond Temporal's for a payload.
    text = pydantic_core.to_json(attributes)
    return text[:-1] + b',"data":' + command.data + b"}"

"""The requests to Temporal, made of a command. Raw, as the SDK's own calls draw a new request id each time."""

import functools
from datetime import timedelta

import pydantic_core
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Header, Memo, Payloads, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as UpdateStage
from temporalio.api.enums.v1 import WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, WaitPolicy
from temporalio.api.update.v1 import Request as UpdateRequest
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)

from bridge import mark
from bridge.command import Command
from bridge.dispatch import priority
from bridge.routes import Argument, Rerun
from topics.envelope import CLOUDEVENTS_SPECVERSION

COMMAND_HEADER = "bridge-command"
TRACER_HEADER = "_tracer-data"  # temporalio.contrib.opentelemetry's, and the other SDKs' own

FORM_USES_MAX = 100  # with up to 2 MiB each time

REUSE_POLICIES = {
    Rerun.NEVER: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    Rerun.AFTER_FAILURE: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    Rerun.ALWAYS: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
}


class Encoded(bytes):
    """A request that is serialized already, in the place of a message: the client asks one for its bytes alone."""

    __slots__ = ()

    def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
        """Return the bytes."""
        return self


def identity(group: str, command: Command) -> str:
    """Return who we are in an event of the history: a cancel's is all that tells later whose it was."""
    return f"bridge/{group}/{command.request_id}"


def start(
    command: Command, *, namespace: str, group: str, request_id: str, rerun: Rerun, earlier: tuple[str, ...] = ()
) -> Encoded:
    """Return the request that starts the command's workflow under `rerun`, a `StartWorkflowExecutionRequest`."""
    route = command.route
    form = _pad(namespace, group, route.workflow or "", route.task_queue or "", route.run_timeout, rerun).form()
    request = form.request
    request.workflow_id = command.workflow_id
    request.identity = identity(group, command)
    request.request_id = request_id
    form.argument.data = _argument_text(command)
    form.memo.data = mark.memo_text(mark.of(command, group, earlier))
    form.ids.data = mark.ids_text(command)
    form.command.data = _command_text(command)
    form.carrier.data = _carrier_text(command)
    if (wanted := priority.of(command)) is not None:
        request.priority.CopyFrom(wanted)
    else:
        request.ClearField("priority")
    return Encoded(request.SerializeToString())


class _Form:
    """A start request that is filled in for one command after the other, and serialized each time.

    To make the message anew for each would cost more than the rest of the command's way.
    """

    def __init__(
        self,
        namespace: str,
        group: str,
        workflow: str,
        task_queue: str,
        run_timeout: timedelta | None,
        rerun: Rerun,
    ) -> None:
        empty = mark.json_payload(b"")
        attributes = {name: mark.json_payload(b"", kind) for name, kind in mark.ATTRIBUTE_TYPES.items()}
        attributes[mark.GROUP_ATTRIBUTE].data = mark.group_text(group)
        self.request = StartWorkflowExecutionRequest(
            namespace=namespace,
            workflow_type=WorkflowType(name=workflow),
            task_queue=TaskQueue(name=task_queue),
            input=Payloads(payloads=[empty]),
            workflow_run_timeout=_run_timeout(run_timeout),
            workflow_id_reuse_policy=REUSE_POLICIES[rerun],
            memo=Memo(fields={mark.MEMO: empty}),
            search_attributes=SearchAttributes(indexed_fields=attributes),
            header=Header(fields=dict.fromkeys((COMMAND_HEADER, TRACER_HEADER), empty)),
        )
        self.argument = self.request.input.payloads[0]
        self.memo = self.request.memo.fields[mark.MEMO]
        self.ids = self.request.search_attributes.indexed_fields[mark.IDS_ATTRIBUTE]
        self.command = self.request.header.fields[COMMAND_HEADER]
        self.carrier = self.request.header.fields[TRACER_HEADER]


class _Pad:
    """The forms of one route, one after the other: a message keeps the memory of all that it was ever filled with."""

    def __init__(
        self,
        namespace: str,
        group: str,
        workflow: str,
        task_queue: str,
        run_timeout: timedelta | None,
        rerun: Rerun,
    ) -> None:
        self._fresh = functools.partial(_Form, namespace, group, workflow, task_queue, run_timeout, rerun)
        self._uses = 0
        self._form = self._fresh()

    def form(self) -> _Form:
        """Return the form to fill in next."""
        if self._uses == FORM_USES_MAX:
            self._uses = 0
            self._form = self._fresh()
        self._uses += 1
        return self._form


_pad = functools.lru_cache(maxsize=1024)(_Pad)


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
        workflow_run_timeout=_run_timeout(command.route.run_timeout),
        priority=priority.of(command),
    )


def update(command: Command, *, namespace: str, group: str, run_id: str = "") -> UpdateWorkflowExecutionRequest:
    """Return the request that updates the latest run, or the run `run_id`, and is answered once that has accepted."""
    return UpdateWorkflowExecutionRequest(
        namespace=namespace,
        workflow_execution=WorkflowExecution(workflow_id=command.workflow_id, run_id=run_id),
        wait_policy=WaitPolicy(
            lifecycle_stage=UpdateStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
        ),
        request=UpdateRequest(
            meta=Meta(update_id=command.request_id, identity=identity(group, command)),
            input=Input(header=header(command), name=command.route.update or "", args=_argument(command)),
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
    carrier = {"traceparent": command.traceparent}
    if command.tracestate is not None:
        carrier["tracestate"] = command.tracestate
    return pydantic_core.to_json(carrier)


def _reference(command: Command) -> dict[str, str | None]:
    reference = {
        "id": command.identity.id,
        "source": command.identity.source,
        "type": command.identity.type,
        "time": command.attributes.get("time"),
    }
    if command.correlation_id != command.identity.id:
        reference["correlationid"] = command.correlation_id
    return reference


def _reason(command: Command) -> str:
    reason = command.fields.get("reason")
    return reason if isinstance(reason, str) else ""


def _run_timeout(timeout: timedelta | None) -> Duration | None:
    if timeout is None:
        return None
    duration = Duration()
    duration.FromTimedelta(timeout)
    return duration


def _argument(command: Command) -> Payloads:
    return Payloads(payloads=[mark.json_payload(_argument_text(command))])


def _argument_text(command: Command) -> bytes:
    return command.data if command.route.argument is Argument.DATA else event_json(command)


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
    text = pydantic_core.to_json(attributes)
    return text[:-1] + b',"data":' + command.data + b"}"

"""The form of a start: the one request that is made thousands of times a second."""

import functools
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Callback, Header, Memo, Payloads, SearchAttributes, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from bridge import callback, mark
from bridge.routes import Rerun

COMMAND_HEADER = "bridge-command"
TRACER_HEADER = "_tracer-data"  # temporalio.contrib.opentelemetry's, and the other SDKs' own

FORM_USES_MAX = 100  # with up to 2 MiB each time

REUSE_POLICIES = {
    Rerun.NEVER: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    Rerun.AFTER_FAILURE: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    Rerun.ALWAYS: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
}


class Form:
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
        callback_url: str | None,
    ) -> None:
        empty = mark.json_payload(b"")
        attributes = {name: mark.json_payload(b"", kind) for name, kind in mark.ATTRIBUTE_TYPES.items()}
        attributes[mark.GROUP_ATTRIBUTE].data = mark.group_text(group)
        self.request = StartWorkflowExecutionRequest(
            namespace=namespace,
            workflow_type=WorkflowType(name=workflow),
            task_queue=TaskQueue(name=task_queue),
            input=Payloads(payloads=[empty]),
            workflow_run_timeout=duration(run_timeout),
            workflow_id_reuse_policy=REUSE_POLICIES[rerun],
            memo=Memo(fields={mark.MEMO: empty}),
            search_attributes=SearchAttributes(indexed_fields=attributes),
            header=Header(fields=dict.fromkeys((COMMAND_HEADER, TRACER_HEADER), empty)),
            completion_callbacks=[_callback(callback_url)] if callback_url is not None else None,
        )
        self.argument = self.request.input.payloads[0]
        self.memo = self.request.memo.fields[mark.MEMO]
        self.ids = self.request.search_attributes.indexed_fields[mark.IDS_ATTRIBUTE]
        self.command = self.request.header.fields[COMMAND_HEADER]
        self.carrier = self.request.header.fields[TRACER_HEADER]
        self.callback = self.request.completion_callbacks[0].nexus.header if callback_url is not None else None


class Pad:
    """The forms of one route, one after the other: a message keeps the memory of all that it was ever filled with."""

    def __init__(
        self,
        namespace: str,
        group: str,
        workflow: str,
        task_queue: str,
        run_timeout: timedelta | None,
        rerun: Rerun,
        callback_url: str | None,
    ) -> None:
        self._fresh = functools.partial(Form, namespace, group, workflow, task_queue, run_timeout, rerun, callback_url)
        self._uses = 0
        self._form = self._fresh()

    def form(self) -> Form:
        """Return the form to fill in next."""
        if self._uses == FORM_USES_MAX:
            self._uses = 0
            self._form = self._fresh()
        self._uses += 1
        return self._form


pad = functools.lru_cache(maxsize=1024)(Pad)


def _callback(url: str) -> Callback:
    return Callback(nexus=Callback.Nexus(url=url, header={callback.HEADER: ""}))


def duration(timeout: timedelta | None) -> Duration | None:
    """Return a time as the protocol has it."""
    if timeout is None:
        return None
    made = Duration()
    made.FromTimedelta(timeout)
    return made

"""Callbacks: whether Temporal would take them, so that ends are told at once, and who listens for them."""

import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Callback, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge import connect
from bridge.callback import Signer
from bridge.cli.examine.finding import Finding, ok, warn
from bridge.settings import Settings
from bridge.setup import temporal

CHECK = "callbacks"
LIVES_FOR = Duration(seconds=1)
_SWEEP = "mode: sweep"
_CALLBACKS = "mode: callbacks"


async def examine(settings: Settings) -> list[Finding]:
    """Say, for each namespace, how ends would be told."""
    url = settings.bridge.callback_url
    if url is None:
        seconds = settings.bridge.sweep_interval.total_seconds()
        return [ok(CHECK, f"{_SWEEP}, every {seconds:g} s (BRIDGE_CALLBACK_URL is not set)")]
    client = await connect.temporal_client(settings, check_namespace=False)
    signer = Signer(url, "", settings.bridge.group_id)
    return [await _mode(each, signer.url) for each in connect.in_namespaces(client, settings.routes.namespaces)]


async def _mode(client: Client, url: str) -> Finding:
    """Ask by a start that cannot take effect: of a workflow id that is in use, by a policy that forbids another run.

    The server looks at the callback before it looks at the id. Should the id have become free meanwhile, what begins
    ends by itself.
    """
    listed = await client.workflow_service.list_workflow_executions(
        workflowservice.ListWorkflowExecutionsRequest(namespace=client.namespace, page_size=1),
        timeout=temporal.CALL_TIMEOUT,
    )
    if not listed.executions:
        return warn(CHECK, f"{client.namespace}: there is no run yet to ask by", "Ask again after the first command.")
    request = workflowservice.StartWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_id=listed.executions[0].execution.workflow_id,
        workflow_type=WorkflowType(name="doctor"),
        task_queue=TaskQueue(name="doctor"),
        request_id="doctor",
        workflow_execution_timeout=LIVES_FOR,
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        completion_callbacks=[Callback(nexus=Callback.Nexus(url=url))],
    )
    try:
        await client.workflow_service.start_workflow_execution(request, timeout=temporal.CALL_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return ok(CHECK, f"{client.namespace}: {_CALLBACKS}, to {url}")
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            advice = "Let Temporal's operator allow this host and port in callback.allowedAddresses, or unset the URL."
            return warn(CHECK, f"{client.namespace}: {_SWEEP}: {error.message}", advice)
        raise
    return ok(CHECK, f"{client.namespace}: {_CALLBACKS}, to {url}")

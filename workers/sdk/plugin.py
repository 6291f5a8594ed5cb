"""Put the sdk into a worker: `Worker(..., plugins=[BridgePlugin()])`."""

import dataclasses

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from workers.sdk.interceptor import BridgeInterceptor


class BridgePlugin(SimplePlugin):
    """Adds the interceptor, and lets workflow modules import `workers.sdk` into their sandbox at no cost."""

    def __init__(self) -> None:
        """Take nothing: there is nothing to set."""
        super().__init__("kafka-temporal-bridge", interceptors=[BridgeInterceptor()], workflow_runner=_let_sdk_through)


def _let_sdk_through(runner: WorkflowRunner | None) -> WorkflowRunner:
    if runner is None:
        runner = SandboxedWorkflowRunner()
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    return dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules("workers.sdk"))

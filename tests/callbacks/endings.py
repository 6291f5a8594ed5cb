"""A workflow that ends at once, or never: it does nothing else, so a worker needs no sandbox for it."""

from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker


@workflow.defn(name="Ends")
class Ends:
    """Ends at once, or never."""

    @workflow.run
    async def run(self, data: dict[str, Any]) -> None:
        await workflow.wait_condition(lambda: not data.get("stays"))


def worker(client: Client, queue: str) -> Worker:
    return Worker(client, task_queue=queue, workflows=[Ends], workflow_runner=UnsandboxedWorkflowRunner())

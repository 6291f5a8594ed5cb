"""A workflow that takes updates, for the tests of the verb: it refuses what it is told to refuse."""

from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker


@workflow.defn
class Entity:
    """Runs until it is told to end or to go on as a new run."""

    def __init__(self) -> None:
        self._next = ""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._next != "")
        if self._next == "renew":
            workflow.continue_as_new()

    @workflow.signal
    def turn(self, what: str) -> None:
        self._next = what

    @workflow.update
    async def go(self, event: dict[str, Any]) -> str:
        if event["data"].get("fail"):
            raise ApplicationError("the handler gave up")
        if event["data"].get("last"):
            self._next = "end"
        return "gone"

    @go.validator
    def check(self, event: dict[str, Any]) -> None:
        if event["data"].get("refuse"):
            raise ValueError("not like this")


def worker(client: Client, queue: str) -> Worker:
    """Return a worker of that workflow."""
    return Worker(client, task_queue=queue, workflows=[Entity], workflow_runner=UnsandboxedWorkflowRunner())

"""A worker of other people: a workflow that knows nothing of the bridge. `python orders.py ADDRESS NAMESPACE...`."""

import asyncio
import sys
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "orders"


@workflow.defn
class Order:
    """Notes down what reaches it, in order; ends when it is told to."""

    def __init__(self) -> None:
        self._log: list[Any] = []
        self._done = False

    @workflow.run
    async def run(self, order: dict[str, Any] | None = None) -> list[Any]:
        if order is not None:
            self._log.insert(0, "placed")
            self._done = self._done or bool(order.get("done"))
        await workflow.wait_condition(lambda: self._done)
        return self._log

    @workflow.signal
    def note(self, event: dict[str, Any]) -> None:
        data = event.get("data", event)
        self._log.append(data["text"])
        self._done = self._done or bool(data.get("done"))

    @workflow.update
    async def change(self, change: dict[str, Any]) -> str:
        self._log.append(f"quantity {change['quantity']}")
        return "changed"

    @change.validator
    def check(self, change: dict[str, Any]) -> None:
        if change["quantity"] < 1:
            raise ValueError("an order has at least one piece")

    @workflow.query
    def log(self) -> list[Any]:
        return self._log


async def main(address: str, *namespaces: str) -> None:
    async with asyncio.TaskGroup() as group:
        for namespace in namespaces:
            client = await Client.connect(address, namespace=namespace)
            worker = Worker(client, task_queue=QUEUE, workflows=[Order], workflow_runner=UnsandboxedWorkflowRunner())
            group.create_task(worker.run())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

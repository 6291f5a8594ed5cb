"""Looks now and then whether anybody works on the task queues of our routes: a start succeeds without."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import Client
from temporalio.service import RPCError

from bridge.routes import Routes

EVERY = timedelta(seconds=30)
TIMEOUT = timedelta(seconds=5)


class Pollers:
    """The workers of each task queue, by namespace, as of the last look."""

    def __init__(self, clients: Sequence[Client], routes: Routes) -> None:
        """Take the clients; the first one's namespace is that of routes which name none."""
        default = clients[0].namespace
        by_name = {client.namespace: client for client in clients}
        wanted = {(route.namespace or default, route.task_queue) for route in routes.rows if route.task_queue}
        self._queues = [(by_name[namespace], queue) for namespace, queue in sorted(wanted)]
        self._found: dict[tuple[str, ...], float] = {}

    @property
    def found(self) -> Mapping[tuple[str, ...], float]:
        """How many workers poll each queue for workflows; without those of which nothing is known."""
        return dict(self._found)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            for client, queue in self._queues:
                await self._look(client, queue)
            await asyncio.sleep(EVERY.total_seconds())

    async def _look(self, client: Client, queue: str) -> None:
        request = workflowservice.DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            described = await client.workflow_service.describe_task_queue(request, timeout=TIMEOUT)
        except (RPCError, RuntimeError):  # away, or forbidden to look: others tell of that
            self._found.pop((client.namespace, queue), None)
        else:
            self._found[client.namespace, queue] = len(described.pollers)

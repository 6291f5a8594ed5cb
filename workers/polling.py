"""Whether the workers of this host poll, as Temporal sees it: `python -m workers.polling [--queue NAME]...`.

For the health check of a container. Exit code 0 if each task queue was asked for work from here lately, else 1 and why.
"""

import asyncio
import dataclasses
import os
import socket
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.runtime import Runtime

from workers import main, settings
from workers.connect import temporal
from workers.errors import ExitCode, WorkersError

LATELY = timedelta(seconds=100)  # a poll is answered after a minute at the latest, and the next one follows
CONNECT_WITHIN = timedelta(seconds=5)


async def silent(client: Client, queues: Sequence[str]) -> list[str]:
    """Return those task queues that nobody on this host has polled lately."""
    found = await asyncio.gather(*(_pollers(client, queue) for queue in queues))
    host, now = socket.gethostname(), datetime.now(UTC)
    return [queue for queue, pollers in zip(queues, found, strict=True) if not is_polled(pollers, host, now)]


def is_polled(pollers: Iterable[PollerInfo], host: str, now: datetime) -> bool:
    """Say whether a process of this host is among the pollers, and not one that has gone."""
    return any(
        poller.identity.endswith(f"@{host}") and now - poller.last_access_time.ToDatetime(UTC) < LATELY
        for poller in pollers
    )


async def _pollers(client: Client, queue: str) -> Sequence[PollerInfo]:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return (await client.workflow_service.describe_task_queue(request, timeout=CONNECT_WITHIN)).pollers


async def _look(arguments: Sequence[str]) -> int:
    told = dataclasses.replace(settings.load(os.environ), connect_timeout=CONNECT_WITHIN)
    client = await temporal.connect(told, Runtime.default())
    unpolled = await silent(client, [queue.name for queue in main.chosen(main.parse(arguments))])
    for queue in unpolled:
        print(f"nobody on {socket.gethostname()} polls {queue}")  # noqa: T201 - `docker inspect` shows it
    return 1 if unpolled else 0


if __name__ == "__main__":
    try:
        code = asyncio.run(_look(sys.argv[1:]))
    except WorkersError as error:
        print(error)  # noqa: T201 - as above
        code = 1
    main.leave(ExitCode(code))

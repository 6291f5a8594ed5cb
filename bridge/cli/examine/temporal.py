"""Temporal: reachable, the namespace, the search attributes, and who polls the task queues."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import Client

from bridge import connect, routes
from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.settings import Settings
from bridge.setup import steps, temporal

CHECK = "temporal"
APPLY = "Run `bridge setup apply`."
SLOW = timedelta(milliseconds=500)
POLLED_WITHIN = timedelta(seconds=70)  # a poll lasts up to 60 s


async def examine(settings: Settings) -> list[Finding]:
    """Ask the server for all that the daemon needs of it."""
    client = await connect.temporal_client(settings, check_namespace=False)
    began = time.perf_counter()
    answer = await client.workflow_service.get_system_info(
        workflowservice.GetSystemInfoRequest(), timeout=temporal.CALL_TIMEOUT
    )
    address = client.service_client.config.target_host
    findings = [_server(f"{address}, server {answer.server_version}", time.perf_counter() - began)]
    clients = connect.in_namespaces(client, settings.routes.namespaces)
    retentions = [await temporal.namespace_retention(each) for each in clients]
    for each, retention in zip(clients, retentions, strict=True):
        if retention is None:
            findings.append(fail("namespace", f"{each.namespace} is missing", APPLY))
        else:
            findings.append(_namespace(each.namespace, retention))
            findings += _attributes(await temporal.plan(each))
    return findings if None in retentions else findings + await _pollers(settings, client)


def _server(what: str, seconds: float) -> Finding:
    if seconds > SLOW.total_seconds():
        return warn(CHECK, f"{what}: it takes {seconds:.1f} s to answer", "See its load, and the network to it.")
    return ok(CHECK, what)


def _namespace(name: str, retention: timedelta) -> Finding:
    days = f"{retention / timedelta(days=1):g} days"
    if retention < temporal.RETENTION:
        return warn("namespace", f"{name} keeps closed runs for {days} only: dedupe reaches no further", APPLY)
    return ok("namespace", f"{name} keeps closed runs for {days}")


def _attributes(plan: steps.Plan) -> list[Finding]:
    missing = {step.name for step in plan.steps if isinstance(step, steps.AddSearchAttribute)}
    findings = [fail("search attribute", text, "") for text in plan.conflicts]
    findings += [fail("search attribute", f"{name} is missing", APPLY) for name in missing]
    return findings or [ok("search attribute", " and ".join(temporal.SEARCH_ATTRIBUTES))]


async def _pollers(settings: Settings, client: Client) -> list[Finding]:
    rows = [row for row in settings.routes.rows if row.task_queue is not None]
    queues = tuple(dict.fromkeys((str(row.task_queue), row.namespace or client.namespace) for row in rows))
    ours = {row.task_queue for row in routes.OWN}
    counts = await asyncio.gather(*(_count(connect.in_namespace(client, name), queue) for queue, name in queues))
    return [
        ok("task queue", f"{queue} is polled by {count} worker(s)")
        if count
        else fail("task queue", f"{queue} is polled by no worker", _start_worker(queue, ours=queue in ours))
        for (queue, _), count in zip(queues, counts, strict=True)
    ]


def _start_worker(queue: str, *, ours: bool) -> str:
    return f"Run `bridge worker --queue {queue}`." if ours else "Start its worker, or correct task_queue of the route."


async def _count(client: Client, queue: str) -> int:
    request = workflowservice.DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=temporal.CALL_TIMEOUT)
    since = datetime.now(UTC) - POLLED_WITHIN
    seen = {each.identity for each in answer.pollers if each.last_access_time.ToDatetime(UTC) >= since}
    return len(seen)

"""The workers' process: `python -m workers [--queue NAME]...`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import NoReturn

import httpx
import uvloop
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from workers import endpoint, logs, registry, settings, telemetry
from workers.connect import database, kafka, temporal
from workers.connect.renewal import Renewal
from workers.errors import ConfigurationError, ExitCode, WorkersError
from workers.registry import Resources, TaskQueue
from workers.sdk.plugin import BridgePlugin
from workers.settings import Settings
from workers.telemetry import Tracing

CONCURRENT_ACTIVITIES = 100
CONCURRENT_WORKFLOW_TASKS = 50
CACHED_WORKFLOWS = 500

GRACE_SHARE = 0.75
"""Of the drain time, for activities to end by themselves; in the rest those that did not are cancelled."""

log = logs.get(__name__)


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> NoReturn:
    """Run the workers until SIGTERM or SIGINT, and leave with an exit code of the contract."""
    names = parse(sys.argv[1:] if arguments is None else arguments)
    logs.configure()
    try:
        queues = chosen(names)
        told = settings.load(os.environ if environment is None else environment)
        code = uvloop.run(run(told, queues))
    except WorkersError as error:
        _complain(error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = ExitCode.DONE
    except BaseException:
        log.exception("The workers crashed.")
        code = ExitCode.CRASH
    leave(code)


def leave(code: ExitCode) -> NoReturn:
    """End the process here: Temporal's runtime can hang or abort where the interpreter ends in its own way."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def run(told: Settings, queues: Sequence[TaskQueue]) -> ExitCode:
    """Connect, work until told to stop, and drain."""
    stop = asyncio.Event()
    serving = asyncio.current_task()
    assert serving is not None  # noqa: S101 -- for mypy: this is a coroutine
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    for warning in told.warnings:
        log.warning(warning)
    async with AsyncExitStack() as resources:
        traced = resources.enter_context(telemetry.tracing(told.environment))
        try:
            workers, renewal = await _start(told, queues, traced, resources)
        except asyncio.CancelledError:
            return ExitCode.DONE  # told to stop before anything was begun
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(renewal.run(), name="renewal")
            return await _serve(workers, stop, told.drain_timeout, renewing)


async def _start(
    told: Settings, queues: Sequence[TaskQueue], traced: Tracing, resources: AsyncExitStack
) -> tuple[Sequence[Worker], Renewal]:
    environment = told.environment
    runtime = logs.temporal_runtime(telemetry.metrics(environment), telemetry.service_name(environment))
    client = await temporal.connect(told, runtime)
    emitter = await kafka.connect(told)
    emitter.spans = traced.spans
    resources.push_async_exit(emitter)
    built = Resources(
        settings=told,
        emitter=emitter,
        database=await database.connect(told, resources),
        http=await resources.enter_async_context(httpx.AsyncClient(timeout=endpoint.REQUEST_TIMEOUT_SECONDS)),
    )
    grace = told.drain_timeout * GRACE_SHARE
    workers = tuple(_worker(client, queue, built, traced, grace) for queue in queues)
    return workers, Renewal(told, runtime, workers)


def _worker(client: Client, queue: TaskQueue, resources: Resources, traced: Tracing, grace: timedelta) -> Worker:
    return Worker(
        client,
        task_queue=queue.name,
        workflows=queue.workflows,
        activities=queue.activities(resources),
        interceptors=traced.interceptors,
        plugins=[BridgePlugin()],
        max_cached_workflows=CACHED_WORKFLOWS,
        max_concurrent_activities=CONCURRENT_ACTIVITIES,
        max_concurrent_workflow_tasks=CONCURRENT_WORKFLOW_TASKS,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=grace,
    )


async def _serve(
    workers: Sequence[Worker], stop: asyncio.Event, drain: timedelta, renewing: "asyncio.Task[NoReturn]"
) -> ExitCode:
    """Run `workers` until `stop`, then let them finish what they have in hand for the time `drain`."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    stopping = asyncio.create_task(stop.wait())
    log.info("The workers are ready.", queues=[worker.task_queue for worker in workers])
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    renewing.cancel()  # a worker that has drained takes no client any more
    for task in running:
        if task.done():
            task.result()  # a worker ends by itself only with an error
    log.info("The workers are draining.", seconds=drain.total_seconds())
    draining = asyncio.gather(*(worker.shutdown() for worker in workers), *running)
    _, late = await asyncio.wait([draining], timeout=drain.total_seconds())
    if late:
        log.error("The workers did not finish what they had in hand: Temporal gives it to another.")
        leave(ExitCode.DRAIN_TIMED_OUT)
    log.info("The workers have drained.")
    return ExitCode.DONE


def _complain(error: WorkersError) -> None:
    for line in str(error).splitlines():
        log.error(line)


def parse(arguments: Sequence[str]) -> list[str]:
    """Return the task queues that are named; none means all of them."""
    parser = argparse.ArgumentParser(
        prog="python -m workers",
        description="Run the workers of invoices, campaigns and leads until SIGTERM or SIGINT.",
        epilog="Example: python -m workers --queue finance --queue leads",
    )
    parser.add_argument(
        "--queue",
        action="append",
        metavar="NAME",
        default=[],
        help=f"a task queue to work on, again for more; all by default: {', '.join(registry.BY_NAME)}",
    )
    names: list[str] = parser.parse_args(arguments).queue
    return names


def chosen(names: Sequence[str]) -> Sequence[TaskQueue]:
    """Return the task queues of these names; raises `ConfigurationError` for unknown ones."""
    unknown = [name for name in names if name not in registry.BY_NAME]
    if unknown:
        known = ", ".join(registry.BY_NAME)
        raise ConfigurationError(*(f"{name} is no task queue of ours: give one of {known}." for name in unknown))
    return [queue for queue in registry.QUEUES if not names or queue.name in names]

"""The workers take up new certificates until they drain."""

import asyncio
from datetime import timedelta
from typing import Any, NoReturn, cast

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.servers.fixtures import Temporal
from workers import main
from workers.errors import ExitCode


@workflow.defn(name="Idle")
class Idle:
    @workflow.run
    async def run(self) -> None:
        """Do nothing."""


async def for_ever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_worker_that_has_drained_takes_no_client(temporal: Temporal) -> None:
    """So nothing may hand it one from the moment on at which it drains: the process would crash."""
    client = await Client.connect(temporal.address)
    worker = Worker(client, task_queue="drained", workflows=[Idle], workflow_runner=UnsandboxedWorkflowRunner())
    async with worker:
        worker.client = client
    with pytest.raises(AttributeError):
        worker.client = client


async def test_nothing_is_renewed_any_more_once_the_workers_drain() -> None:
    stop, drained = asyncio.Event(), asyncio.Event()
    renewing = asyncio.create_task(for_ever())

    class Quiet:
        task_queue = "quiet"
        ended_before_draining: bool | None = None

        async def run(self) -> None:
            await drained.wait()

        async def shutdown(self) -> None:
            self.ended_before_draining = renewing.cancelling() > 0
            drained.set()

    quiet = Quiet()
    stop.set()
    code = await main._serve((cast("Any", quiet),), stop, timedelta(seconds=5), renewing)

    assert (code, quiet.ended_before_draining) == (ExitCode.DONE, True)

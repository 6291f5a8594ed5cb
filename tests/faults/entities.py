"""Two workflows without activities behind the names that the bridge's own routes start, and a worker for them."""

import asyncio
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

START_WITHIN_SECONDS = 20.0
FINANCE, LEADS = "finance", "leads"
SIGNALS_A_RUN = 5
DEADLOCK_SECONDS = 60


@workflow.defn(name="InvoiceProcessing")
class Invoice:
    """Ends at once, or, where the note is a number, after as many approvals."""

    def __init__(self) -> None:
        self._approvals = 0

    @workflow.run
    async def run(self, event: dict[str, Any]) -> int:
        wanted = int(event["data"].get("note", "0"))
        await workflow.wait_condition(lambda: self._approvals >= wanted)
        return self._approvals

    @workflow.signal
    def approve(self, event: dict[str, Any]) -> None:
        self._approvals += 1

    @workflow.update
    def amend(self, event: dict[str, Any]) -> None:
        self._approvals += 1

    @amend.validator
    def take_time(self, event: dict[str, Any]) -> None:
        time.sleep(float(event["data"].get("comment") or 0))  # of the worker's thread: the acceptance comes after it


@workflow.defn(name="LeadScoring")
class Lead:
    """Keeps the ids of what it handled, each once, and continues as new after every five signals."""

    @workflow.init
    def __init__(self, handled: list[str] | None = None) -> None:
        self._handled = list(handled or [])
        self._repeated = 0
        self._signals = 0

    @workflow.run
    async def run(self, handled: list[str] | None = None) -> None:
        await workflow.wait_condition(lambda: self._signals >= SIGNALS_A_RUN)
        workflow.continue_as_new(args=[self._handled])

    @workflow.signal
    def score(self, event: dict[str, Any]) -> None:
        self._signals += 1
        if event["id"] in self._handled:
            self._repeated += 1
        else:
            self._handled.append(event["id"])

    @workflow.query
    def handled(self) -> list[str]:
        return self._handled


class Workers:
    """Serves task queues from a thread with a loop of its own."""

    def __init__(self, address: str, queues: Sequence[str]) -> None:
        self._address = address
        self._queues = tuple(queues)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)
        self._started = threading.Event()
        self._stop = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(START_WITHIN_SECONDS), "the tests' own worker did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        client = await Client.connect(self._address)
        async with asyncio.TaskGroup() as group:
            for queue in self._queues:
                group.create_task(self._work(client, queue))
            self._started.set()

    async def _work(self, client: Client, queue: str) -> None:
        worker = Worker(
            client,
            task_queue=queue,
            workflows=[Invoice, Lead],
            workflow_runner=UnsandboxedWorkflowRunner(),
            graceful_shutdown_timeout=timedelta(seconds=1),
        )
        # On a machine with other work 2 s without a processor are no deadlock; for one the SDK gives up a slot. Its own
        # way to say so, `debug_mode`, has every workflow run in the worker's loop, where one that takes long stops all.
        inner: Any = worker
        inner._workflow_worker._deadlock_timeout_seconds = DEADLOCK_SECONDS
        async with worker:
            await self._stop.wait()

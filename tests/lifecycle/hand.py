"""The hand of an operator: does things to runs at Temporal itself, past Kafka and the bridge."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from tests.lifecycle import plays
from tests.lifecycle.plays import Cue

Answer = TypeVar("Answer")

WITHIN_SECONDS = 60.0
LOOK_SECONDS = 0.1
AT_ONCE = 64
PACED_AT_ONCE = 512
ASK_TIMES = timedelta(seconds=60)  # many of them wait for one database
FIRST_TASK_DONE = 4  # events of a run: started, task scheduled, task started, task completed
OPEN = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING


class Hand:
    """Works on a connection of its own each time; ids are workflow ids, and mean the latest run.

    What takes `over_seconds` asks at an even pace for so long, unless the server is far behind.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def cue(self, cues: dict[str, Cue]) -> None:
        async def one(client: Client, name: str) -> None:
            await client.get_workflow_handle(name).signal(plays.SIGNAL, {"cue": cues[name]}, rpc_timeout=ASK_TIMES)

        self._each(cues, one)

    def cancel(self, names: Iterable[str]) -> None:
        async def one(client: Client, name: str) -> None:
            await client.get_workflow_handle(name).cancel(rpc_timeout=ASK_TIMES)

        self._each(names, one)

    def terminate(self, names: Iterable[str], over_seconds: float = 0.0) -> None:
        async def one(client: Client, name: str) -> None:
            await client.get_workflow_handle(name).terminate(reason="by an operator", rpc_timeout=ASK_TIMES)

        self._each(names, one, over_seconds)

    def begin(self, name: str, queue: str) -> None:
        """Start a play that no command asked for."""
        self._each([name], lambda client, name: client.start_workflow(plays.WORKFLOW, {}, id=name, task_queue=queue))

    def reset(self, names: Iterable[str]) -> None:
        """Have the latest run, open or closed, begin anew behind its first workflow task."""

        async def one(client: Client, name: str) -> None:
            info = await _describe(client, name)
            await client.workflow_service.reset_workflow_execution(
                workflowservice.ResetWorkflowExecutionRequest(
                    namespace=client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=name, run_id=info.execution.run_id),
                    reason="by an operator",
                    workflow_task_finish_event_id=FIRST_TASK_DONE,
                    request_id=f"reset-{info.execution.run_id}",
                ),
                timeout=ASK_TIMES,
            )

        self._each(names, one)

    def until_waiting(self, names: Iterable[str]) -> None:
        """Wait until the first task of each is done."""
        self._until(names, lambda info: info.history_length >= FIRST_TASK_DONE, "has done its first task")

    def until_closed(self, names: Iterable[str]) -> None:
        """Wait until Temporal says that nothing continues."""
        self._until(names, lambda info: info.status != OPEN, "has closed")

    def callbacks(self, names: Iterable[str]) -> list[int]:
        """Return the states of the callbacks that the latest runs carry."""

        async def one(client: Client, name: str) -> list[int]:
            return [int(callback.state) for callback in (await _described(client, name)).callbacks]

        return [state for states in self._each(names, one) for state in states]

    def _until(self, names: Iterable[str], condition: Callable[[WorkflowExecutionInfo], bool], what: str) -> None:
        async def one(client: Client, name: str) -> None:
            deadline = time.monotonic() + WITHIN_SECONDS
            while not condition(info := await _describe(client, name)):
                assert time.monotonic() < deadline, f"not within {WITHIN_SECONDS:g} s: {name} {what}; it is {info}"
                await asyncio.sleep(LOOK_SECONDS)

        self._each(names, one)

    def _each(
        self, names: Iterable[str], do: Callable[[Client, str], Awaitable[Answer]], over_seconds: float = 0.0
    ) -> list[Answer]:
        async def ask(names: Sequence[str]) -> list[Answer]:
            client = await Client.connect(self._address)
            gate = asyncio.Semaphore(PACED_AT_ONCE if over_seconds else AT_ONCE)

            async def one(number: int, name: str) -> Answer:
                await asyncio.sleep(over_seconds * number / len(names))
                async with gate:
                    return await do(client, name)

            return list(await asyncio.gather(*itertools.starmap(one, enumerate(names))))

        return asyncio.run(ask(list(names)))


async def _describe(client: Client, name: str) -> WorkflowExecutionInfo:
    return (await _described(client, name)).workflow_execution_info


async def _described(client: Client, name: str) -> workflowservice.DescribeWorkflowExecutionResponse:
    return await client.workflow_service.describe_workflow_execution(
        workflowservice.DescribeWorkflowExecutionRequest(
            namespace=client.namespace, execution=WorkflowExecution(workflow_id=name)
        ),
        timeout=ASK_TIMES,
    )

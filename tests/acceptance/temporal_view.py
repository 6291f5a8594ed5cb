"""What Temporal itself says of runs, asked with its own client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionDescription

from tests.acceptance import contract

Answer = TypeVar("Answer")


class TemporalView:
    """Asks one server, each time on a connection of its own."""

    def __init__(self, address: str, namespace: str = "default") -> None:
        self._address = address
        self._namespace = namespace

    def runs(self, query: str) -> dict[str, tuple[str, str]]:
        """Return workflow id and status of the runs that a visibility query finds, by run id."""

        async def ask(client: Client) -> dict[str, tuple[str, str]]:
            found = client.list_workflows(query)
            return {run.run_id: (run.id, run.status.name if run.status else "") async for run in found}

        return self._ask(ask)

    def runs_of(self, workflow_id: str) -> dict[str, tuple[str, str]]:
        return self.runs(f"WorkflowId = '{workflow_id}'")

    def query(self, workflow_id: str, name: str) -> Any:
        return self._ask(lambda client: client.get_workflow_handle(workflow_id).query(name))

    def describe(self, workflow_id: str) -> WorkflowExecutionDescription:
        return self._ask(lambda client: client.get_workflow_handle(workflow_id).describe())

    def result(self, workflow_id: str, run_id: str) -> Any:
        return self._ask(lambda client: client.get_workflow_handle(workflow_id, run_id=run_id).result())

    def terminate(self, workflow_id: str) -> None:
        self._ask(lambda client: client.get_workflow_handle(workflow_id).terminate(reason="by an operator"))

    def history(self, workflow_id: str, run_id: str | None = None) -> list[HistoryEvent]:
        async def ask(client: Client) -> list[HistoryEvent]:
            return list((await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()).events)

        return self._ask(ask)

    def signals(self, workflow_id: str, run_id: str | None = None) -> list[str]:
        """Return the names of the signals in a run's history."""
        return [
            event.workflow_execution_signaled_event_attributes.signal_name
            for event in self.history(workflow_id, run_id)
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        ]

    def event_ids(self, workflow_id: str, run_id: str, emits_max: int = 4) -> set[str]:
        """Return the ids that the contract gives to the events of a run's activities."""
        activities = [
            event.activity_task_scheduled_event_attributes.activity_id
            for event in self.history(workflow_id, run_id)
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        ]
        return {
            contract.event_id("domain", workflow_id, run_id, activity, number)
            for activity in activities
            for number in range(1, emits_max + 1)
        }

    def _ask(self, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
        async def ask() -> Answer:
            return await question(await Client.connect(self._address, namespace=self._namespace))

        return asyncio.run(ask())

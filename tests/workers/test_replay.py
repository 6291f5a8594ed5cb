"""Runs that began under an earlier version go on under this one: their stored histories replay."""

from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.workers import record_histories
from workers import registry
from workers.converter import data_converter
from workers.sdk.plugin import BridgePlugin

WORKFLOWS = [defined for queue in registry.QUEUES for defined in queue.workflows]

HISTORIES = sorted(record_histories.FOLDER.glob("*.json"))


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


async def replay(path: Path, *workflows: type) -> None:
    replayer = Replayer(workflows=workflows, data_converter=data_converter, plugins=[BridgePlugin()])
    await replayer.replay_workflow(history(path))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_stored_history_replays(path: Path) -> None:
    await replay(path, *WORKFLOWS)


def test_each_workflow_has_a_stored_history() -> None:
    names = {
        event.workflow_execution_started_event_attributes.workflow_type.name
        for path in HISTORIES
        for event in history(path).events[:1]
    }
    assert names == {defined.__name__ for defined in WORKFLOWS}


def test_each_scenario_is_stored() -> None:
    assert [path.stem for path in HISTORIES] == sorted(record_histories.SCENARIOS)


@workflow.defn(name="InvoiceProcessing", sandboxed=False)
class Otherwise:
    """A version that does not do what the stored runs did."""

    @workflow.run
    async def run(self, command: Any) -> None:
        """Sleep, where a step was taken."""
        await workflow.sleep(1)


async def test_a_version_that_does_otherwise_is_found_out() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await replay(record_histories.FOLDER / "invoice-sent.json", Otherwise)

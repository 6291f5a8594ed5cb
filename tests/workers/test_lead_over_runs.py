"""The lead's entity over continue-as-new, on the real server: the time-skipping one loses signals at that moment."""

import asyncio
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from tests.servers.fixtures import Temporal
from tests.workers import waiting
from tests.workers.inbox import Inbox
from tests.workers.leads import Run, scoring, signal
from tests.workers.stage import Stage
from workers.converter import data_converter
from workers.database import Database
from workers.lead import workflow

AT_ONCE = 50
FEW = 20
"""Signals of a run, where it is no matter how many they are."""


@pytest.fixture
async def stage(temporal: Temporal, inbox: Inbox, sqlite: Database) -> Stage:
    """Give a stage on the real server."""
    client = await Client.connect(temporal.address, data_converter=data_converter)
    return Stage(WorkflowEnvironment.from_client(client), inbox, sqlite)


async def signal_all(stage: Stage, lead: str, numbers: Iterable[int]) -> None:
    """Send the commands with these numbers, some at once."""
    left = list(numbers)
    while left:
        batch, left = left[:AT_ONCE], left[AT_ONCE:]
        await asyncio.gather(*(signal(stage, scoring(number, lead_id=lead)) for number in batch))


async def next_run(run: Run, first_run: str) -> str:
    """Return the id of the run that continues `first_run`, once it is there."""

    async def there() -> bool:
        return (await run.describe()).run_id != first_run

    await waiting.until_told(there)
    return (await run.describe()).run_id


async def test_more_than_two_thousand_commands_with_repeats_are_each_told_once(stage: Stage) -> None:
    lead, count = f"L-{uuid.uuid4()}", workflow.SIGNALS_PER_RUN_MAX + 300
    async with stage.working("leads"):
        run = await signal(stage, scoring(0, lead_id=lead), memo={"bridge": {"command": "score-0"}})
        first_run = (await run.describe()).run_id
        await signal_all(stage, lead, range(count))
        await signal_all(stage, lead, range(0, count, 10))
        await next_run(run, first_run)
        await signal_all(stage, lead, range(0, count, 20))
        await signal_all(stage, lead, [count])
        await stage.told_in_all(count + 1)
        memo = await (await run.describe()).memo()
    assert sorted(stage.events("command_id")) == sorted(f"score-{number}" for number in range(count + 1))
    assert memo == {"bridge": {"command": "score-0"}}


async def test_the_next_run_knows_the_score_and_that_the_lead_has_qualified(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "SIGNALS_PER_RUN_MAX", FEW)
    lead, hot = f"L-{uuid.uuid4()}", ("demo_request", "form_submit", "form_submit")
    # In the sandbox the module is loaded anew, with the number of signals that it has.
    async with stage.working("leads", workflow_runner=UnsandboxedWorkflowRunner()):
        run = await signal(stage, scoring(0, *hot, lead_id=lead, at=datetime.now(UTC)))
        first_run = (await run.describe()).run_id
        await signal_all(stage, lead, range(1, FEW))
        second_run = await next_run(run, first_run)
        await signal(stage, scoring(FEW, *hot, lead_id=lead, at=datetime.now(UTC)))
        await stage.told_in_all(FEW + 2)
        score, previous, run_id = stage.events("score", "previous", "run_id")[-1]
    assert stage.types.count("lead.qualified") == 1
    assert (score, previous > 80, run_id) == (100, True, second_run)

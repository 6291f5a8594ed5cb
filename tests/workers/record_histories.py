"""Record the histories that `test_replay` replays, anew: `python -m tests.workers.record_histories`.

A history that is stored stands for runs that are open while a new version is rolled out. Where a change of a workflow
breaks its replay, guard the change with `workflow.patched()`; record anew only what cannot be open any more, or what
a new step adds.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.workers import commands
from tests.workers.inbox import running_inbox
from tests.workers.stage import Stage, server_path
from topics.fields import Model
from workers import database
from workers.campaign.workflow import CampaignCreation
from workers.converter import data_converter
from workers.invoice.workflow import InvoiceProcessing
from workers.lead.workflow import LeadScoring

FOLDER = Path(__file__).parent / "histories"

Run = WorkflowHandle[Any, Any]


async def invoice(stage: Stage, price: str = "100.00") -> Run:
    command = commands.command("invoice.process", commands.invoice(price=price))
    return await stage.client.start_workflow(InvoiceProcessing.run, command, id="invoice-INV-1", task_queue="finance")


async def campaign(stage: Stage, **fields: Any) -> Run:
    command = commands.command("campaign.create", commands.campaign(**fields))
    return await stage.client.start_workflow(CampaignCreation.run, command, id="campaign-C-1", task_queue="campaigns")


async def decide(stage: Stage, run: Run, kind: str, decision: Model, after: str) -> Run:
    await stage.told(after)
    await run.signal("approve", commands.command(kind, decision))
    await run.result()
    return run


async def cancel(stage: Stage, run: Run, after: str) -> Run:
    await stage.told(after)
    await run.cancel(reason="No need.")
    try:
        await run.result()
    except WorkflowFailureError:
        return run
    raise AssertionError("The run was to be cancelled.")


async def invoice_sent(stage: Stage) -> Run:
    stage.inbox.replies = ["451 Try later"]
    run = await invoice(stage)
    await run.result()
    return run


async def invoice_approved(stage: Stage) -> Run:
    run = await invoice(stage, "20000")
    return await decide(stage, run, "invoice.approve", commands.decision(), "invoice.approval_requested")


async def invoice_rejected(stage: Stage) -> Run:
    run, no = await invoice(stage, "20000"), commands.decision(approved=False)
    return await decide(stage, run, "invoice.approve", no, "invoice.approval_requested")


async def invoice_cancelled(stage: Stage) -> Run:
    return await cancel(stage, await invoice(stage, "20000"), "invoice.approval_requested")


async def campaign_published(stage: Stage) -> Run:
    stage.inbox.refused["ada@example.com"] = "550 No such user"
    run = await campaign(stage, channels=("email", "search", "display"), audience=("ada@example.com",))
    await run.result()
    return run


async def campaign_approved(stage: Stage) -> Run:
    run, yes = await campaign(stage, approval=True), commands.campaign_decision()
    return await decide(stage, run, "campaign.approve", yes, "campaign.approval_requested")


async def campaign_rejected(stage: Stage) -> Run:
    run, no = await campaign(stage, approval=True), commands.campaign_decision(approved=False)
    return await decide(stage, run, "campaign.approve", no, "campaign.approval_requested")


async def campaign_cancelled(stage: Stage) -> Run:
    return await cancel(stage, await campaign(stage, approval=True), "campaign.approval_requested")


async def lead_qualified(stage: Stage) -> Run:
    for number in (1, 2, 2, 3):
        at = await stage.environment.get_current_time()
        data = commands.lead("L-1", "demo_request", "form_submit", at=at, profile={"job_title": "CTO"})
        run = await stage.client.start_workflow(
            LeadScoring.run,
            id="lead-L-1",
            task_queue="leads",
            start_signal="score",
            start_signal_args=[commands.command("lead.score", data, id=f"score-{number}")],
        )
    await stage.told_in_all(4)
    return run


SCENARIOS: Mapping[str, tuple[str, Callable[[Stage], Awaitable[Run]]]] = {
    "invoice-sent": ("finance", invoice_sent),
    "invoice-approved": ("finance", invoice_approved),
    "invoice-rejected": ("finance", invoice_rejected),
    "invoice-cancelled": ("finance", invoice_cancelled),
    "campaign-published": ("campaigns", campaign_published),
    "campaign-approved": ("campaigns", campaign_approved),
    "campaign-rejected": ("campaigns", campaign_rejected),
    "campaign-cancelled": ("campaigns", campaign_cancelled),
    "lead-qualified": ("leads", lead_qualified),
}
"""The task queue, and what is played on it, by the history's name."""


async def record(name: str) -> str:
    """Play a scenario, and return its history as JSON."""
    queue, play = SCENARIOS[name]
    with tempfile.TemporaryDirectory() as folder:
        url = database.parse_url(f"sqlite:///{folder}/workers.db")
        async with (
            running_inbox() as inbox,
            database.open_database(url) as opened,
            await WorkflowEnvironment.start_time_skipping(
                test_server_existing_path=server_path(), data_converter=data_converter, identity="recorder"
            ) as environment,
        ):
            stage = Stage(environment, inbox, opened)
            async with stage.working(queue):
                run = await play(stage)
                history = json.loads((await run.fetch_history()).to_json())
    return json.dumps(without_stack_traces(history), indent=1)


def without_stack_traces(value: Any) -> Any:
    """Return a history without what names files of the machine that it was recorded on."""
    if isinstance(value, list):
        return [without_stack_traces(item) for item in value]
    if isinstance(value, dict):
        return {name: without_stack_traces(item) for name, item in value.items() if name != "stackTrace"}
    return value


async def main() -> None:
    """Record every history."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCENARIOS:
        (FOLDER / f"{name}.json").write_text(await record(name) + "\n")


if __name__ == "__main__":
    asyncio.run(main())

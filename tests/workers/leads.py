"""Leads as the tests drive them."""

from typing import Any

from temporalio.client import WorkflowHandle

from tests.workers import commands
from tests.workers.stage import Stage
from topics.envelope import Command
from topics.lead import LeadScore
from workers.lead.workflow import LeadScoring

Run = WorkflowHandle[Any, Any]


async def signal(stage: Stage, command: Command[LeadScore], **options: Any) -> Run:
    """Signal with start, as the bridge does: the command is the signal's argument, the run has none."""
    return await stage.client.start_workflow(
        LeadScoring.run,
        id=f"lead-{command.data.lead_id}",
        task_queue="leads",
        start_signal="score",
        start_signal_args=[command],
        **options,
    )


def scoring(number: int, *kinds: str, lead_id: str = "L-1", **fields: Any) -> Command[LeadScore]:
    data = commands.lead(lead_id, *(kinds or ("page_view",)), **fields)
    return commands.command("lead.score", data, id=f"score-{number}")


async def score(run: Run) -> int:
    return (await run.query(LeadScoring.current_score)).score


async def now(stage: Stage) -> Any:
    return await stage.environment.get_current_time()

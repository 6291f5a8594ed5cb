"""A workflow and an activity that log a line each."""

from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def act() -> None:
    """Log."""
    activity.logger.warning("the activity speaks")


@workflow.defn
class Teller:
    """Logs, and lets the activity log."""

    @workflow.run
    async def run(self) -> None:
        """Do so."""
        workflow.logger.warning("the workflow speaks")
        await workflow.execute_activity(act, start_to_close_timeout=timedelta(seconds=10))

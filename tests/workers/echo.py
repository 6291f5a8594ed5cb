"""A workflow of somebody else: it tells which command it finds where. It imports the sdk as anyone would."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

from workers.sdk import CommandReference, acting_for, current_command

TIMEOUT = timedelta(seconds=10)

Found = dict[str, str | None]


def found() -> str | None:
    """Return id and trace of the current command."""
    command = current_command()
    return None if command is None else f"{command.id} {command.traceparent or '-'} {command.correlationid or '-'}"


@activity.defn
async def cause() -> str | None:
    """Tell the command that an activity finds."""
    return found()


@workflow.defn
class Child:
    """Tells the command that a child finds."""

    @workflow.run
    async def run(self) -> str | None:
        """Tell it."""
        return found()


@workflow.defn
class Echo:
    """Tells the command at every place; ends with the signal `finish`."""

    def __init__(self) -> None:
        """Begin."""
        self._found: Found = {}
        self._finished = False

    @workflow.run
    async def run(self, again: bool = False) -> Found:
        """Collect what is found."""
        if again:
            workflow.continue_as_new(False)
        self._found["run"] = found()
        self._found["activity"] = await workflow.execute_activity(cause, start_to_close_timeout=TIMEOUT)
        self._found["local"] = await workflow.execute_local_activity(cause, start_to_close_timeout=TIMEOUT)
        self._found["child"] = await workflow.execute_child_workflow(Child.run)
        with acting_for(CommandReference("other", "/tests", "echo")):
            self._found["acting for another"] = await workflow.execute_activity(cause, start_to_close_timeout=TIMEOUT)
        self._found["afterwards"] = found()
        await workflow.wait_condition(lambda: self._finished)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._found

    @workflow.signal
    async def tell(self, name: str) -> None:
        """Collect what a signal finds, at once and in an activity after others had their turn."""
        self._found[name] = found()
        await asyncio.sleep(1)
        self._found[f"{name} activity"] = await workflow.execute_activity(cause, start_to_close_timeout=TIMEOUT)

    @workflow.update
    async def ask(self) -> str | None:
        """Tell what an update finds."""
        return found()

    @workflow.signal
    def finish(self) -> None:
        """End."""
        self._finished = True

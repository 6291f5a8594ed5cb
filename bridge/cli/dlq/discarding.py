"""Mark dead letters as needing nothing more, or show which would be marked."""

import contextlib
from typing import Literal

from bridge import connect
from bridge.cli import output
from bridge.cli.dlq import rows
from bridge.deadletter import desk, discarding, replay, told
from bridge.deadletter.discarding import Discarding
from bridge.deadletter.filters import Filters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter
from bridge.deadletter.replay import Writer
from bridge.settings import Settings


async def run(settings: Settings, filters: Filters, form: Literal["table", "json"], because: str, *, yes: bool) -> int:
    """Print the open letters that are meant, and mark them if `yes`."""
    discarding.require_reason(because, "--because")
    table = output.Table(form, rows.LISTED)

    def show(each: Letter) -> None:
        row = told.fields(each, State.DISCARDED if yes else State.OPEN)
        table.add(row if form == "json" else rows.short(row))

    async with contextlib.AsyncExitStack() as stack:
        at = await stack.enter_async_context(desk.opened(settings, filters))
        at.require_marks()
        writer = await stack.enter_async_context(_writing(settings)) if yes else None
        work = Discarding(at, writer, because, show)
        await work.run()
    if not work.count:
        output.say("There is nothing to discard.")
    else:
        output.say(f"{work.count} discarded." if yes else f"{work.count} would be discarded: --yes does it.")
    return 0


def _writing(settings: Settings) -> contextlib.AbstractAsyncContextManager[Writer]:
    return replay.writing(connect.kafka_options(settings), settings.bridge.group_id)

"""Print dead letters as they are found: nothing but a block of them is held."""

from collections.abc import AsyncIterator
from typing import Literal

from bridge.cli import output
from bridge.cli.dlq import rows
from bridge.deadletter import desk, letter, told
from bridge.deadletter.desk import Desk
from bridge.deadletter.filters import Filters
from bridge.deadletter.letter import Letter
from bridge.settings import Settings


async def run(
    settings: Settings,
    filters: Filters,
    count: int | None,
    form: Literal["table", "json"],
    *,
    state: str,
    newest: bool,
) -> int:
    """Print those that are meant, at most `count`."""
    table = output.Table(form, rows.LISTED)
    shown = 0
    async with desk.opened(settings, filters) as at:
        marks = await at.marks()
        async for each in _found(at, newest=newest):
            what = marks.state(each)
            if state not in ("all", what):
                continue
            if shown == count:
                output.say(f"There are more than {count}: --all shows them, -n COUNT as many.")
                break
            row = told.fields(each, what)
            table.add(row if form == "json" else rows.short(row))
            shown += 1
    if not shown:
        output.say("No dead letter is like that.")
    return 0


async def _found(at: Desk, *, newest: bool) -> AsyncIterator[Letter]:
    if newest:
        async for each in at.shelf.newest_first(at.spans, at.selection):
            yield each
        return
    async for record in at.shelf.forwards(at.spans):
        each = letter.read(record)
        if at.selection.takes(each, record.key):
            yield each

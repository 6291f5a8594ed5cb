"""Mark dead letters as needing nothing more, or show which would be marked."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from bridge import connect, errors
from bridge.cli import output
from bridge.cli.dlq import rows
from bridge.command import rfc3339
from bridge.deadletter import desk, handled, letter, replay, told
from bridge.deadletter.desk import Desk
from bridge.deadletter.filters import Filters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter
from bridge.deadletter.replay import Writer
from bridge.settings import Settings


async def run(settings: Settings, filters: Filters, form: Literal["table", "json"], because: str, *, yes: bool) -> int:
    """Print the open letters that are meant, and mark them if `yes`."""
    if not because.strip():
        raise errors.ConfigurationError("--because: say why, for those who look later.")
    table, count, chunk = output.Table(form, rows.LISTED), 0, list[Letter]()
    async with contextlib.AsyncExitStack() as stack:
        at = await stack.enter_async_context(desk.opened(settings, filters))
        at.require_marks()
        writer = await stack.enter_async_context(_writing(settings)) if yes else None
        marks = await at.marks()
        async for record in at.shelf.forwards(at.spans):
            each = letter.read(record)
            if not at.selection.takes(each, record.key) or marks.state(each) is not State.OPEN:
                continue
            count += 1
            row = told.fields(each, State.DISCARDED if yes else State.OPEN)
            table.add(row if form == "json" else rows.short(row))
            chunk.append(each)
            if len(chunk) == replay.CHUNK:
                await _mark(writer, at, chunk, because)
                chunk.clear()
        await _mark(writer, at, chunk, because)
    if not count:
        output.say("There is nothing to discard.")
    else:
        output.say(f"{count} discarded." if yes else f"{count} would be discarded: --yes does it.")
    return 0


def _writing(settings: Settings) -> contextlib.AbstractAsyncContextManager[Writer]:
    return replay.writing(connect.kafka_options(settings), settings.bridge.group_id)


async def _mark(writer: Writer | None, at: Desk, chunk: Sequence[Letter], because: str) -> None:
    if writer is None or not chunk:
        return
    now = rfc3339(int(datetime.now(UTC).timestamp() * 1000))
    await writer.write((), [handled.mark(at.marks_topic, each, State.DISCARDED, now, because) for each in chunk])

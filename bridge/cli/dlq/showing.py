"""Print one dead letter whole, or each copy of it."""

from typing import Literal

from bridge import errors
from bridge.cli import output
from bridge.cli.dlq import rows
from bridge.deadletter import desk, letter, told
from bridge.deadletter.filters import Filters
from bridge.settings import Settings


async def run(settings: Settings, filters: Filters, form: Literal["table", "json"]) -> int:
    """Print what lies at a place; raises `BridgeError` where nothing does."""
    if not filters.selection().places:
        raise errors.ConfigurationError(
            f"{filters.where[0]} is no topic/partition/offset, such as invoice.process.dlq/2/17."
        )
    found = False
    async with desk.opened(settings, filters) as at:
        marks = await at.marks()
        async for record in at.shelf.forwards(at.spans):
            each = letter.read(record)
            if not at.selection.takes(each, record.key):
                continue
            if form == "json":
                output.write(output.json_text(told.whole(each, record, marks.state(each))))
            else:
                if found:
                    output.write("")
                for line in rows.page(each, record, marks.state(each)):
                    output.write(line)
            found = True
    if not found:
        raise errors.BridgeError(f"No dead letter is at {filters.where[0]}, and none came from there.")
    return 0

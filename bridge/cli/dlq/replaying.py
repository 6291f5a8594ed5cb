"""Put dead letters back, or show what would be put back."""

import sys
from collections.abc import Callable
from typing import Literal

from bridge import connect
from bridge.cli import output
from bridge.cli.dlq import progress, rows
from bridge.deadletter import desk, letter, puttingback, replay, told
from bridge.deadletter.filters import Filters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter, Place
from bridge.deadletter.puttingback import Count, PuttingBack, Wanted
from bridge.settings import Settings

REPLAYED = {"original": 22, "letter": 26, "replayed_to": 22, "key": 16, "id": 36, "replays": 0}

Form = Literal["table", "json"]


async def rehearse(settings: Settings, filters: Filters, form: Form, *, again: bool) -> int:
    """Print what would be replayed, in that order."""
    table, count = output.Table(form, rows.PLANNED), Count()
    async with desk.opened(settings, filters) as at:
        marks = await at.marks()
        wanted = Wanted(at.selection, marks, again)
        async for found in replay.in_order(at.shelf, at.spans, wanted):
            for each in found:
                obstacle = puttingback.obstacle(at, each)
                table.add({**told.fields(each, marks.state(each)), "obstacle": obstacle})
                if obstacle is None:
                    count.done += 1
                else:
                    count.refuse(obstacle)
    return _told(wanted, count, "would be replayed: --yes does it.")


async def run(settings: Settings, filters: Filters, form: Form, *, rate: int, again: bool) -> int:
    """Replay, and print each once it is committed."""
    async with desk.opened(settings, filters) as at:
        at.require_marks()
        async with replay.writing(connect.kafka_options(settings), settings.bridge.group_id) as writer:
            marks = await at.marks()  # not before: what another replay was about to mark is marked or aborted now
            wanted = Wanted(at.selection, marks, again)
            total = 0
            async for record in at.shelf.forwards(at.spans):
                total += wanted(letter.read(record), record.key)
            count = Count()
            with progress.shown("replayed", total) as tell:
                doing = PuttingBack(at, writer, count, rate, _shown(form), tell)
                async for found in replay.in_order(at.shelf, at.spans, wanted):
                    await doing.put_back(found)
    return _told(wanted, count, "replayed.")


def _shown(form: Form) -> Callable[[Letter, Place], None]:
    """Return what prints a letter that was put back."""
    table = output.Table(form, REPLAYED)

    def show(each: Letter, place: Place) -> None:
        if form == "table" and sys.stdout.isatty() and sys.stderr.isatty():
            return  # the bar has the screen
        row = {**told.fields(each, State.REPLAYED), "replayed_to": letter.named(place), "replays": each.replays + 1}
        table.add(row)

    return show


def _told(wanted: Wanted, count: Count, what: str) -> int:
    """Say how it went; return the exit code."""
    wanted.require()
    for obstacle, refused in count.obstacles.items():
        output.say(f"{refused} cannot be replayed: {obstacle}.")
    output.say(f"{count.done} {what}" if count.done else "There is nothing to replay.")
    return 1 if count.obstacles else 0

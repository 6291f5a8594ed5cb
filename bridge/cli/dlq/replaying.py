"""Put dead letters back, or show what would be put back."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from bridge import connect, errors
from bridge.cli import output
from bridge.cli.dlq import desk, progress, rows
from bridge.cli.dlq.desk import Desk
from bridge.cli.dlq.flags import Filters
from bridge.command import Record, rfc3339
from bridge.deadletter import handled, letter, replay
from bridge.deadletter.handled import Marks, State
from bridge.deadletter.letter import Letter, Place
from bridge.deadletter.replay import TooLargeError, Writer
from bridge.deadletter.selection import Selection
from bridge.settings import Settings

REPLAYED = {"original": 22, "letter": 26, "replayed_to": 22, "key": 16, "id": 36, "replays": 0}

Form = Literal["table", "json"]


@dataclass(slots=True)
class Count:
    """What became of the letters; `obstacles` has why some cannot be replayed, and how many."""

    done: int = 0
    obstacles: dict[str, int] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many cannot be replayed."""
        return sum(self.obstacles.values())

    def refuse(self, obstacle: str) -> None:
        """Count one that cannot be replayed."""
        self.obstacles[obstacle] = self.obstacles.get(obstacle, 0) + 1

    def tell(self) -> int:
        """Say why some cannot be replayed; return the exit code."""
        for obstacle, count in self.obstacles.items():
            output.say(f"{count} cannot be replayed: {obstacle}.")
        return 1 if self.obstacles else 0


async def rehearse(settings: Settings, filters: Filters, form: Form, *, again: bool) -> int:
    """Print what would be replayed, in that order."""
    table, count = output.Table(form, rows.PLANNED), Count()
    async with desk.opened(settings, filters) as at:
        marks = await at.marks()
        wanted = _Wanted(at.selection, marks, again)
        async for found in replay.in_order(at.shelf, at.spans, wanted):
            for each in found:
                obstacle = _obstacle(at, each)
                table.add({**rows.fields(each, marks.state(each)), "obstacle": obstacle})
                if obstacle is None:
                    count.done += 1
                else:
                    count.refuse(obstacle)
    return wanted.tell(count, "would be replayed: --yes does it.")


async def run(settings: Settings, filters: Filters, form: Form, *, rate: int, again: bool) -> int:
    """Replay, and print each once it is committed."""
    async with desk.opened(settings, filters) as at:
        at.require_marks()
        async with replay.writing(connect.kafka_options(settings), settings.bridge.group_id) as writer:
            marks = await at.marks()  # not before: what another replay was about to mark is marked or aborted now
            wanted = _Wanted(at.selection, marks, again)
            total = 0
            async for record in at.shelf.forwards(at.spans):
                total += wanted(letter.read(record), record.key)
            count = Count()
            with progress.shown("replayed", total) as tell:
                doing = _Replay(at, writer, output.Table(form, REPLAYED), count, rate, tell, form)
                async for found in replay.in_order(at.shelf, at.spans, wanted):
                    await doing.put_back(found)
    return wanted.tell(count, "replayed.")


@dataclass(slots=True)
class _Wanted:
    """What is to be replayed; `seen` counts what the filters let through, handled or not."""

    selection: Selection
    marks: Marks
    again: bool
    seen: int = 0

    def __call__(self, each: Letter, key: bytes | None) -> bool:
        if not self.selection.takes(each, key):
            return False
        self.seen += 1
        return self.again or self.marks.state(each) is State.OPEN

    def tell(self, count: Count, what: str) -> int:
        """Say how it went; return the exit code. Raises `BridgeError` where a place that was named holds nothing."""
        if self.selection.places and not self.seen:
            raise errors.BridgeError("No dead letter is there, and none came from there.")
        code = count.tell()
        output.say(f"{count.done} {what}" if count.done else "There is nothing to replay.")
        return code


def _obstacle(at: Desk, each: Letter) -> str | None:
    if each.obstacle is None and each.origin is not None and each.origin.topic not in at.partitions:
        return f"{each.origin.topic}, where it came from, is not there"
    return each.obstacle


@dataclass(slots=True)
class _Replay:
    at: Desk
    writer: Writer
    table: output.Table
    count: Count
    rate: int
    tell: Callable[[int], None]
    form: Form
    next_at: float = 0.0

    async def put_back(self, found: Sequence[Letter]) -> None:
        sound = []
        for each in found:
            obstacle = _obstacle(self.at, each)
            if obstacle is None:
                sound.append(each)
            else:
                self.count.refuse(obstacle)
        for chunk in replay.chunks(sound, max(1, self.rate // 2)):
            records = await self.at.shelf.pick(each.place for each in chunk)
            there = [(each, records[each.place]) for each in chunk if each.place in records]
            await self._keep_to_rate(len(there))
            await self._write(there)

    async def _keep_to_rate(self, count: int) -> None:
        now = time.monotonic()
        await asyncio.sleep(max(0.0, self.next_at - now))
        self.next_at = max(now, self.next_at) + count / self.rate

    async def _write(self, chunk: Sequence[tuple[Letter, Record]]) -> None:
        """Write a chunk; one that Kafka finds too large is left out, so the others are written singly then."""
        now = rfc3339(int(datetime.now(UTC).timestamp() * 1000))
        records = [(replay.again(each, record), _partition(each)) for each, record in chunk]
        marks = [handled.mark(self.at.marks_topic, each, State.REPLAYED, now) for each, _ in chunk]
        try:
            placed = await self.writer.write(records, marks)
        except TooLargeError:
            await self.writer.stop()
            await self.writer.start()
            if len(chunk) == 1:
                self.count.refuse("with its header dlq.replays it is larger than max.message.bytes of its topic")
                return
            for one in chunk:
                await self._write([one])
            return
        for (each, _), place in zip(chunk, placed, strict=True):
            self._show(each, place)
        self.count.done += len(chunk)
        self.tell(self.count.done + self.count.refused)

    def _show(self, each: Letter, place: Place) -> None:
        if self.form == "table" and sys.stdout.isatty() and sys.stderr.isatty():
            return  # the bar has the screen
        row = {**rows.fields(each, State.REPLAYED), "replayed_to": letter.named(place), "replays": each.replays + 1}
        self.table.add(row)


def _partition(each: Letter) -> int:
    if each.origin is None:
        raise errors.BridgeError("a dead letter without an original is replayed")
    return each.origin.partition

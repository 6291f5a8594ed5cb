"""Put dead letters back at a pace, and count what cannot be."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge import errors
from bridge.command import Record, rfc3339
from bridge.deadletter import handled, replay
from bridge.deadletter.desk import Desk
from bridge.deadletter.handled import Marks, State
from bridge.deadletter.letter import Letter, Place
from bridge.deadletter.replay import TooLargeError, Writer
from bridge.deadletter.selection import Selection


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


@dataclass(slots=True)
class Wanted:
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

    def require(self) -> None:
        """Raise `BridgeError` where a place that was named holds nothing."""
        if self.selection.places and not self.seen:
            raise errors.BridgeError("No dead letter is there, and none came from there.")


def obstacle(at: Desk, each: Letter) -> str | None:
    """Return why a dead letter cannot be put back, if it cannot."""
    if each.obstacle is None and each.origin is not None and each.origin.topic not in at.partitions:
        return f"{each.origin.topic}, where it came from, is not there"
    return each.obstacle


@dataclass(slots=True)
class PuttingBack:
    """Puts back at most `rate` letters a second; `show` is told of each, `tell` how many are done with."""

    at: Desk
    writer: Writer
    count: Count
    rate: int
    show: Callable[[Letter, Place], None]
    tell: Callable[[int], None] = lambda _: None
    next_at: float = 0.0

    async def put_back(self, found: Sequence[Letter]) -> None:
        """Put letters back in their order."""
        sound = []
        for each in found:
            why_not = obstacle(self.at, each)
            if why_not is None:
                sound.append(each)
            else:
                self.count.refuse(why_not)
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
            self.show(each, place)
        self.count.done += len(chunk)
        self.tell(self.count.done + self.count.refused)


def _partition(each: Letter) -> int:
    if each.origin is None:
        raise errors.BridgeError("a dead letter without an original is replayed")
    return each.origin.partition

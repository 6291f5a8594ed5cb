"""Mark dead letters as needing nothing more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge import errors
from bridge.command import rfc3339
from bridge.deadletter import handled, letter, replay
from bridge.deadletter.desk import Desk
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter
from bridge.deadletter.replay import Writer


def require_reason(because: str, where: str) -> None:
    """Raise `ConfigurationError` where nobody says why; `where` is how it is said."""
    if not because.strip():
        raise errors.ConfigurationError(f"{where}: say why, for those who look later.")


@dataclass(slots=True)
class Discarding:
    """Marks the open letters that are meant; without a writer it only tells which. `show` is told of each."""

    at: Desk
    writer: Writer | None
    because: str
    show: Callable[[Letter], None]
    count: int = 0

    async def run(self, most: int | None = None) -> bool:
        """Mark them, at most `most`; return whether there are more."""
        marks, chunk = await self.at.marks(), list[Letter]()
        async for record in self.at.shelf.forwards(self.at.spans):
            each = letter.read(record)
            if not self.at.selection.takes(each, record.key) or marks.state(each) is not State.OPEN:
                continue
            if self.count == most:
                await self._mark(chunk)
                return True
            self.count += 1
            self.show(each)
            chunk.append(each)
            if len(chunk) == replay.CHUNK:
                await self._mark(chunk)
                chunk.clear()
        await self._mark(chunk)
        return False

    async def _mark(self, chunk: Sequence[Letter]) -> None:
        if self.writer is None or not chunk:
            return
        now = rfc3339(int(datetime.now(UTC).timestamp() * 1000))
        topic = self.at.marks_topic
        await self.writer.write((), [handled.mark(topic, each, State.DISCARDED, now, self.because) for each in chunk])

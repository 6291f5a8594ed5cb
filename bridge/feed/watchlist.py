"""The watches that there are, as the feed's topic tells them; bounded, as their number is up to other people."""

from collections.abc import Iterator

from bridge.feed import watch
from bridge.feed.watch import Watch
from bridge.telemetry import logs
from bridge.telemetry.names import Log

WATCHES_MAX = 20_000  # about 1.5 kB each
ROOM = 10  # there is room when a tenth of them is done

log = logs.get(__name__)


class Watchlist:
    """Watches by their key. What comes above the bound is left in the topic, and read again when there is room."""

    def __init__(self, watches_max: int = WATCHES_MAX) -> None:
        self._watches: dict[bytes, Watch] = {}
        self._max = watches_max
        self._left_from: int | None = None
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._watches)

    def room_from(self) -> int | None:
        """Return the offset to read from again, where some were left out and there is room now; else None.

        What stands before it is known. Whoever begins at the first record meets those that are done, and is full again.
        """
        # For some at once, as each time all that comes after them is read once more.
        if self._left_from is None or len(self) > self._max - max(1, self._max // ROOM):
            return None
        found, self._left_from, self.left_out = self._left_from, None, 0
        return found

    def note(self, key: bytes, value: bytes | None, offset: int | None = None) -> None:
        """Take a record of the topic: a watch, or the end of one; `offset` None is the owner's own, always kept."""
        found = watch.read(value) if value is not None else None
        if found is None:
            self._watches.pop(key, None)
        elif offset is None or key in self._watches or len(self._watches) < self._max:
            self._watches[key] = found
        else:
            self._leave_out(offset)

    def _leave_out(self, offset: int) -> None:
        if self._left_from is None:
            log.error(Log.WATCHES_FULL, watches=self._max)
            self._left_from = offset
        self._left_from = min(offset, self._left_from)
        self.left_out += 1

    def of_namespace(self, namespace: str) -> Iterator[Watch]:
        """Yield the watches of a namespace, those asked for first."""
        return (one for one in list(self._watches.values()) if one.namespace == namespace)

    def of_run(self, namespace: str, workflow_id: str, run_id: str) -> Watch | None:
        """Return the watch under which the owner looks after a run, if it does."""
        return self._watches.get(watch.run_key(namespace, workflow_id, run_id))

    def clear(self) -> None:
        """Forget all of them, to read the topic anew."""
        self._watches.clear()
        self._left_from, self.left_out = None, 0

"""Which offset of a partition may be committed: the first one that is not done. Pure."""

from collections.abc import Iterable

from bridge.intake import progress


class Watermark:
    """The records of one partition that are in hand. Holds those alone, however many are done behind a stuck one."""

    def __init__(self, done: progress.Done = progress.NOTHING) -> None:
        """Begin where another owner left off; `done` is what it did behind its last commit."""
        self._done = done
        self._position = 0
        self.passed = range(0)
        self.tries = 0
        self.suspect: int | None = None
        self._pending: dict[int, bool] = {}  # in the order in which offsets were taken: whether it can begin a run

    @property
    def pending(self) -> int:
        """Return how many records are in hand."""
        return len(self._pending)

    @property
    def position(self) -> int | None:
        """Return the offset behind the last record that was taken, or None before the first."""
        return self._position or None

    @property
    def committable(self) -> int:
        """Return the offset to commit: everything before it is done."""
        return next(iter(self._pending), self._position or self._done.committed)

    @property
    def metadata(self) -> str:
        """Return what a commit at `committable` tells the next owner."""
        pending: Iterable[int] = self._pending
        position = max(self._position, self.committable)
        if self._position < self._done.position:  # not yet past what the owner before us has done
            pending = sorted({*self._pending, *(o for o in self._done.pending if o >= self._position)})
            position = self._done.position
        return progress.encode(self.committable, pending, position, self.starts_done, self.tries, self.suspect)

    @property
    def starts_done(self) -> int:
        """Return the offset before which everything that can begin a run is done."""
        first = next((offset for offset, can_begin in self._pending.items() if can_begin), None)
        return max(self._position, self._done.starts_done) if first is None else first

    def take(self, offset: int) -> bool:
        """Note that the record at `offset` is in hand, and return True; False where it is done already.

        Offsets rise, with gaps where the log has them.
        """
        if offset < self._position:
            raise ValueError(f"offset {offset} comes after {self._position - 1}")
        if offset > self._position:
            self._pass_to(offset)
        if offset < self._done.committed:  # another log than that of the commit: its begin, after the end was lost
            self._done = progress.NOTHING
        self._position = offset + 1
        if offset < self._done.position and offset in self._done:
            return False
        self._pending[offset] = True
        return True

    def begins_nothing(self, offset: int) -> None:
        """Note that the record at `offset`, which is in hand, can begin no run."""
        self._pending[offset] = False

    def done(self, offset: int) -> None:
        """Note that the record at `offset` has its outcome."""
        del self._pending[offset]
        if self.suspect is None:
            self.tries = 0

    def move_to(self, position: int) -> None:
        """Note that the log has nothing for us before `position`: control records, gaps of compaction."""
        if position > self._position:
            self._pass_to(position)
            self._position = position

    def taken_passed(self) -> range:
        """Return the widest gap since the last time this was asked; where it begins, nothing was taken before."""
        found, self.passed = self.passed, range(0)
        return found

    def _pass_to(self, offset: int) -> None:
        gap = range(self._position, offset)
        if self._position and len(gap) > len(self.passed):
            self.passed = gap

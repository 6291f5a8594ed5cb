"""Which offset of a partition may be committed: the first one that is not done. Pure."""


class Watermark:
    """The records of one partition that are in hand. Holds those alone, however many are done behind a stuck one."""

    def __init__(self) -> None:
        self._position = 0
        self._pending: dict[int, None] = {}  # a dict keeps the order in which offsets were taken

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
        return next(iter(self._pending), self._position)

    def take(self, offset: int) -> None:
        """Note that the record at `offset` is in hand; offsets rise, with gaps where the log has them."""
        if offset < self._position:
            raise ValueError(f"offset {offset} comes after {self._position - 1}")
        self._pending[offset] = None
        self._position = offset + 1

    def done(self, offset: int) -> None:
        """Note that the record at `offset` has its outcome."""
        del self._pending[offset]

    def move_to(self, position: int) -> None:
        """Note that the log has nothing for us before `position`: control records, gaps of compaction."""
        self._position = max(self._position, position)

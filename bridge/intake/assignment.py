"""The partitions that this process holds: what is in hand of each, what may be committed, which ones pause."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aiokafka import TopicPartition

from bridge.intake.watermark import Watermark

WAITING_BYTES_MAX = 128 * 1024 * 1024
RESUME_BELOW = 0.5  # of what made a partition pause


@dataclass(slots=True)
class Partition:
    """One partition from its assignment to its revocation; `end_offset` is the log's at the assignment.

    `end_seen` is a later one, looked up while the partition is paused: nothing is fetched that would tell it.
    `alone` is how many records must still be begun alone, `noted` the offset that the broker knows to be begun.
    """

    watermark: Watermark
    end_offset: int
    end_seen: int = 0
    committed: tuple[int, str] = (0, "")
    waiting_bytes: int = 0
    paused: bool = False
    alone: int = 0
    noted: int | None = None

    def take(self, offset: int, size_bytes: int) -> bool:
        """Note that a record is in hand, and return True; False where an owner before us has done it."""
        if not self.watermark.take(offset):
            return False
        self.waiting_bytes += size_bytes
        return True

    def is_new(self, offset: int) -> bool:
        """Return whether a record was not there yet at the assignment, so that nobody can have handled it before."""
        return offset >= self.end_offset

    def done(self, offset: int, size_bytes: int) -> None:
        """Note that a record has its outcome."""
        self.watermark.done(offset)
        self.waiting_bytes -= size_bytes


@dataclass(slots=True)
class Assignment:
    """All partitions of one assignment; a later assignment is another object."""

    waiting_max: int
    partitions: dict[TopicPartition, Partition] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> timedelta:
        """How long the partitions have been held."""
        return timedelta(seconds=time.monotonic() - self.began)

    def to_commit(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, tuple[int, str]]:
        """Return offset and metadata of what moved since the last commit; `positions` are the consumer's."""
        for tp, position in positions.items():
            self.partitions[tp].watermark.move_to(position)
        moved: dict[TopicPartition, tuple[int, str]] = {}
        for tp, partition in self.partitions.items():
            if partition.watermark.position is None:
                continue  # where the group is here is for those to say who have read from it
            progress = (partition.watermark.committable, partition.watermark.metadata)
            if progress != partition.committed:
                moved[tp] = progress
        return moved

    def committed(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        """Note what the broker has taken."""
        for tp, progress in offsets.items():
            self.partitions[tp].committed = progress

    def to_pause(self, is_held: Callable[[TopicPartition], bool]) -> list[TopicPartition]:
        """Return the partitions to pause now: held ones, and, when too much waits, those over their share of it."""
        waiting, waiting_bytes = self._waiting()
        is_full = waiting >= self.waiting_max or waiting_bytes >= WAITING_BYTES_MAX
        pausing = [
            tp
            for tp, partition in self.partitions.items()
            if not partition.paused and (is_held(tp) or (is_full and self._share(partition) >= 1))
        ]
        for tp in pausing:
            self.partitions[tp].paused = True
        return pausing

    def to_resume(self, is_held: Callable[[TopicPartition], bool]) -> list[TopicPartition]:
        """Return the partitions to resume now: those that are not held and have less than half of their share."""
        resumed = [
            tp
            for tp, partition in self.partitions.items()
            if partition.paused and not is_held(tp) and self._share(partition) < RESUME_BELOW
        ]
        for tp in resumed:
            self.partitions[tp].paused = False
        return resumed

    def careful(self) -> TopicPartition | None:
        """Return the partition whose records are begun alone now, with nothing of the others beside them."""
        return next((tp for tp in sorted(self.partitions) if self.partitions[tp].alone), None)

    @property
    def paused(self) -> int:
        """Return how many partitions are paused."""
        return sum(partition.paused for partition in self.partitions.values())

    def _waiting(self) -> tuple[int, int]:
        partitions = self.partitions.values()
        return sum(p.watermark.pending for p in partitions), sum(p.waiting_bytes for p in partitions)

    def _share(self, partition: Partition) -> float:
        count = len(self.partitions)
        records = partition.watermark.pending * count / self.waiting_max
        return max(records, partition.waiting_bytes * count / WAITING_BYTES_MAX)

"""The partitions that this process holds: what is in hand of each, what may be committed, which ones pause."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from bridge.command import Record
from bridge.intake.watermark import Watermark

WAITING_BYTES_MAX = 128 * 1024 * 1024
RESUME_BELOW = 0.5  # of what made a partition pause


@dataclass(slots=True)
class Partition:
    """One partition from its assignment to its revocation; `end_offset` is the log's at the assignment."""

    watermark: Watermark
    end_offset: int
    committed: int
    waiting_bytes: int = 0
    paused: bool = False

    def is_new(self, offset: int) -> bool:
        """Return whether a record was not there yet at the assignment, so that nobody can have handled it before."""
        return offset >= self.end_offset


@dataclass(slots=True)
class Assignment:
    """All partitions of one assignment; a later assignment is another object."""

    waiting_max: int
    partitions: dict[TopicPartition, Partition] = field(default_factory=dict)

    def take(self, tp: TopicPartition, record: Record) -> bool:
        """Note that a record is in hand; return whether it is new."""
        partition = self.partitions[tp]
        partition.watermark.take(record.offset)
        partition.waiting_bytes += record.size_bytes
        return partition.is_new(record.offset)

    def done(self, tp: TopicPartition, record: Record) -> None:
        """Note that a record has its outcome."""
        partition = self.partitions[tp]
        partition.watermark.done(record.offset)
        partition.waiting_bytes -= record.size_bytes

    def to_commit(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return the offsets that moved since the last commit; `positions` are the consumer's."""
        for tp, position in positions.items():
            self.partitions[tp].watermark.move_to(position)
        return {
            tp: partition.watermark.committable
            for tp, partition in self.partitions.items()
            if partition.watermark.committable > partition.committed
        }

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note what the broker has taken."""
        for tp, offset in offsets.items():
            self.partitions[tp].committed = offset

    def to_pause(self) -> list[TopicPartition]:
        """Return the partitions to pause now: when too much waits, those that hold more than their share of it."""
        waiting, waiting_bytes = self._waiting()
        if waiting < self.waiting_max and waiting_bytes < WAITING_BYTES_MAX:
            return []
        return self._mark_paused(
            tp for tp, partition in self.partitions.items() if not partition.paused and self._share(partition) >= 1
        )

    def to_resume(self) -> list[TopicPartition]:
        """Return the partitions to resume now: those that hold less than half of their share."""
        resumed = [
            tp
            for tp, partition in self.partitions.items()
            if partition.paused and self._share(partition) < RESUME_BELOW
        ]
        for tp in resumed:
            self.partitions[tp].paused = False
        return resumed

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

    def _mark_paused(self, which: Iterable[TopicPartition]) -> list[TopicPartition]:
        paused = list(which)
        for tp in paused:
            self.partitions[tp].paused = True
        return paused

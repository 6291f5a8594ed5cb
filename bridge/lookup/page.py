"""What a fetch of one partition brought, and its records."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from bridge.command import Record
from bridge.intake import inflation, received
from bridge.lookup import sieve


@dataclass(frozen=True, slots=True)
class Page:
    """Its bytes, the batches in them, the transactions that were aborted, and the offset that was asked for."""

    data: bytes
    batches: Sequence[sieve.Batch]
    aborted: Any
    begin: int

    def records(self, tp: TopicPartition, needles: Collection[bytes] | None) -> list[Record]:
        """Return the records of the batches that may hold a needle; without `needles` all of them."""
        inflation.bound()
        kept = self.data if needles is None else sieve.sifted(self.data, self.batches, needles)
        walk = PartitionRecords(tp, MemoryRecords(kept), self.aborted, self.begin, None, None, True, READ_COMMITTED)
        return [received.record(each) for each in walk]

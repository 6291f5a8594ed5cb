"""A topic's log and a consumer group as Kafka keeps them, in memory, for a model of the intake: it never waits."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata

TOPIC = "model"
PARTITIONS = tuple(TopicPartition(TOPIC, number) for number in range(3))


class DiedError(BaseException):
    """The process ended within a call of the client; nothing catches this."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record of the log: a command for `key` that can begin a run, or cannot, or a record that is no command."""

    offset: int
    key: str
    starts: bool
    bad: bool


@dataclass
class Broker:
    """The log, and what the group's members own and have committed."""

    rows: dict[TopicPartition, list[Row]] = field(default_factory=lambda: {tp: [] for tp in PARTITIONS})
    ends: dict[TopicPartition, int] = field(default_factory=lambda: dict.fromkeys(PARTITIONS, 0))
    committed: dict[TopicPartition, tuple[int, str]] = field(default_factory=dict)
    owners: dict[TopicPartition, "Consumer"] = field(default_factory=dict)
    took: Callable[["Consumer", TopicPartition], None] = lambda _, __: None

    def append(self, tp: TopicPartition, gap: int, key: str, *, starts: bool, bad: bool) -> None:
        """Add a record behind as many offsets that hold none: what compaction took, and markers of transactions."""
        offset = self.ends[tp] + gap
        self.rows[tp].append(Row(offset, key, starts, bad))
        self.ends[tp] = offset + 1

    def pad(self, tp: TopicPartition, gap: int) -> None:
        """End the log with offsets that hold no record."""
        self.ends[tp] += gap

    def row(self, tp: TopicPartition, offset: int) -> Row | None:
        return next((row for row in self.rows[tp] if row.offset == offset), None)


class Consumer:
    """Stands for an `AIOKafkaConsumer` of the group."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._coordinator = self
        self.records_max = 1
        self.dies = False

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """Take partitions, each at its commit."""
        self._positions = {tp: self._broker.committed.get(tp, (0, ""))[0] for tp in partitions}
        self._paused.clear()

    def assignment(self) -> set[TopicPartition]:
        return set(self._positions)

    async def getmany(self, *, timeout_ms: int, max_records: int) -> "dict[TopicPartition, list[Any]]":
        if self.dies:
            raise DiedError
        found: dict[TopicPartition, list[Any]] = {}
        left = min(max_records, self.records_max)
        for tp in self._positions.keys() - self._paused:
            rows = [row for row in self._broker.rows[tp] if row.offset >= self._positions[tp]][:left]
            left -= len(rows)
            if rows:
                found[tp] = [_record(tp, row) for row in rows]
            is_all = not rows or rows[-1] is self._broker.rows[tp][-1]
            self._positions[tp] = self._broker.ends[tp] if is_all and left else self._next(tp, rows)
        return found

    def _next(self, tp: TopicPartition, rows: list[Row]) -> int:
        return rows[-1].offset + 1 if rows else self._positions[tp]

    async def position(self, tp: TopicPartition) -> int:
        return self._positions[tp]

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._positions[tp] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        self._paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self._paused.difference_update(partitions)

    def paused(self) -> set[TopicPartition]:
        return set(self._paused)

    async def commit(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        """Take the commit as a whole, or refuse it, where this member is not the owner any more."""
        if any(self._broker.owners.get(tp) is not self for tp in offsets):
            raise CommitFailedError
        self._broker.committed.update(offsets)
        for tp in offsets:
            self._broker.took(self, tp)
        await asyncio.sleep(0)

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        await asyncio.sleep(0)
        return {tp: self._broker.ends[tp] for tp in partitions}

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        await asyncio.sleep(0)
        return dict.fromkeys(partitions, 0)

    async def fetch_committed_offsets(
        self, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        await asyncio.sleep(0)
        return {tp: OffsetAndMetadata(*self._broker.committed[tp]) for tp in partitions if tp in self._broker.committed}


def _record(tp: TopicPartition, row: Row) -> "ConsumerRecord[bytes, bytes]":
    value = b"start" if row.starts else b"signal"
    return ConsumerRecord(
        tp.topic, tp.partition, row.offset, 0, 0, row.key.encode(), b"bad" if row.bad else value, None, 0, 0, ()
    )

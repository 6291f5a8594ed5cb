"""A Kafka client of the tests: one partition, a clock that goes by what it is told, and faults on demand."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp

PARTITION = TopicPartition("t", 0)


class Row(NamedTuple):
    """A record."""

    offset: int
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = ()
    key: bytes | None = None
    value: bytes | None = None


@dataclass
class Broker:
    """What all clients see; `now` is the time in seconds, and each poll takes `poll_seconds`."""

    rows: list[Row] = field(default_factory=list)
    now: float = 1000.0
    poll_seconds: float = 0.0
    polls_break_at: int | None = None  # an offset from which on a client reads no more
    hangs: bool = False
    clients: list["Client"] = field(default_factory=list)
    asked_for_end: int = 0

    def monotonic(self) -> float:
        return self.now

    def client(self, *_: object, **__: object) -> "Client":
        self.clients.append(Client(self))
        return self.clients[-1]


class Client:
    """Stands for an `AIOKafkaConsumer`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._at = 0
        self.listener: Any = None
        self.stopped = False
        self.paused = False

    def subscribe(self, _: object, listener: object) -> None:
        self.listener = listener

    async def start(self) -> None:
        if self.listener is not None:
            self.listener.on_partitions_assigned({PARTITION})

    async def stop(self) -> None:
        self.stopped = True

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION}

    def pause(self, *_: TopicPartition) -> None:
        self.paused = True

    def resume(self, *_: TopicPartition) -> None:
        self.paused = False

    def seek(self, _: TopicPartition, offset: int) -> None:
        self._at = offset

    async def position(self, _: TopicPartition) -> int:
        return self._at

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        self._broker.asked_for_end += 1
        return dict.fromkeys(partitions, len(self._broker.rows))

    async def offsets_for_times(
        self, times: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        found = next((row for row in self._broker.rows if row.timestamp >= times[PARTITION]), None)
        return {PARTITION: OffsetAndTimestamp(found.offset, found.timestamp) if found is not None else None}

    async def getmany(
        self, *_: TopicPartition, timeout_ms: int, max_records: int = 200
    ) -> dict[TopicPartition, list[Row]]:
        broker = self._broker
        if broker.hangs:
            await asyncio.Event().wait()
        broker.now += broker.poll_seconds
        until = self._at + max_records
        if broker.polls_break_at is not None and self is broker.clients[0]:
            until = min(until, broker.polls_break_at)
        found = [] if self.paused else broker.rows[self._at : until]
        self._at += len(found)
        await asyncio.sleep(timeout_ms / 1_000_000 if not found else 0)
        return {PARTITION: found} if found else {}

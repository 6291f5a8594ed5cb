"""What waits in a lane: a record, and how far it has come."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from aiokafka import TopicPartition

from bridge import tracecontext
from bridge.command import BadRecord, Command, Skipped
from bridge.intake.assignment import Assignment
from bridge.intake.lanes import Lane
from bridge.outcome import Settled
from bridge.telemetry.spans import UNRECORDED, Span

LaneKey: TypeAlias = tuple[TopicPartition, str | int]
"""The partition and the workflow id: order holds within a partition. A record that is no command has its offset."""


Content: TypeAlias = Command | BadRecord | Skipped
"""What a record is."""


@dataclass(slots=True)
class Item:
    """A record in a lane.

    `is_new` tells that nobody can have handled it before; `settled` survives a retry, and so does `written`, how many
    records Kafka has of those that tell of it; `stalled` tells that a server was away when it was tried; `last_look`
    that its target was found missing when all starts were read; `has_turn` that its turn came by its route's rate, or
    was given out, and `held` how often it waited for one; `begun` is when it was tried at first, by
    `time.perf_counter`; `span` is what records its way.
    """

    content: Content
    partition: TopicPartition
    assignment: Assignment
    is_new: bool
    size_bytes: int
    settled: Settled | None = None
    written: int = 0
    stalled: bool = False
    last_look: bool = False
    has_turn: bool = False
    held: int = 0
    begun: float = 0.0
    span: Span = UNRECORDED

    @property
    def coordinates(self) -> dict[str, object]:
        """Where the record lies, and its trace, if it has one: what a person looks for it by."""
        content, record = self.content, self.content.record
        found: dict[str, object] = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        if not isinstance(content, Skipped) and content.traceparent is not None:
            found["trace_id"] = tracecontext.trace_id(content.traceparent)
        return found

    def done(self) -> None:
        """Let the item's offset be committed; without effect once the partition is another process's."""
        self.assignment.partitions[self.partition].done(self.content.record.offset, self.size_bytes)


Work: TypeAlias = Callable[[Lane[LaneKey, Item]], Awaitable[timedelta | None]]
"""Handles the first item of a lane: None means done, a time means try again after it."""

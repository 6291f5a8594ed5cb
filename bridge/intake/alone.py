"""Begins records one at a time, with nothing beside them, where owners before us may have died of one (see `care`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge.command import BadRecord, Record
from bridge.intake import care, offsets, received
from bridge.intake.assignment import Assignment
from bridge.intake.item import Item, LaneKey
from bridge.intake.lanes import Lanes
from bridge.intake.reader import Batches
from bridge.telemetry import logs
from bridge.telemetry.names import Log

WAIT_MS = 10
FETCH_MS = 200

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Alone:
    """What it needs of the intake; `fetch` takes a number of records and ms, and gives None where it failed."""

    lanes: Lanes[LaneKey, Item]
    is_held: Callable[[str], bool]
    fetch: Callable[[int, int], Awaitable[Batches | None]]
    take: Callable[[TopicPartition, Record, BadRecord | None], None]
    is_current: Callable[[Assignment], bool]

    async def step(self, consumer: AIOKafkaConsumer, assignment: Assignment, tp: TopicPartition) -> None:
        """Begin with the next record of a partition, once nothing else is in hand, and the broker knows of it."""
        partition = assignment.partitions[tp]
        consumer.pause(*assignment.partitions)
        if not self.lanes.is_calm or self.is_held(tp.topic):
            await self.fetch(1, WAIT_MS)  # nothing comes: it keeps the membership
            return
        offset = await consumer.position(tp)
        if not self.is_current(assignment):
            return
        if offset >= partition.end_offset or not partition.alone:
            await self._end(consumer, assignment, tp)
            return
        tries = await self._noted(consumer, assignment, tp, offset)
        if tries is None or not self.is_current(assignment):
            return
        if tries > care.ALONE_MAX + 1:
            consumer.seek(tp, offset + 1)
            self.take(tp, care.unread(tp, offset, tries), None)
            partition.alone -= 1
            return
        consumer.resume(tp)
        batches = await self.fetch(1, FETCH_MS)
        if not batches:
            return
        (found,) = batches[tp]
        if self.is_current(assignment):
            content = care.put_aside(found, tries) if tries > care.ALONE_MAX else None
            self.take(tp, received.record(found), content)
            partition.alone -= 1
        elif tp in consumer.assignment():
            consumer.seek(tp, found.offset)  # the client counts it as read, and so would the last commit

    async def _noted(
        self, consumer: AIOKafkaConsumer, assignment: Assignment, tp: TopicPartition, offset: int
    ) -> int | None:
        """Return how often the record at `offset` is begun alone, once the broker knows of it; None before."""
        partition = assignment.partitions[tp]
        watermark = partition.watermark
        if partition.noted == offset:
            return watermark.tries if watermark.suspect == offset else 0
        if care.must_wait(watermark, offset, assignment.age):
            await self.fetch(1, WAIT_MS)
            return None
        before = (watermark.tries, watermark.suspect)
        tries = care.begin_alone(watermark, offset)
        log.warning(Log.RECORD_ALONE, topic=tp.topic, partition=tp.partition, offset=offset, tries=tries)
        if not await offsets.note(consumer, {tp: watermark}):
            watermark.tries, watermark.suspect = before
            return None
        partition.noted = offset
        return tries

    async def _end(self, consumer: AIOKafkaConsumer, assignment: Assignment, tp: TopicPartition) -> None:
        watermark = assignment.partitions[tp].watermark
        assignment.partitions[tp].alone = 0
        care.end(watermark)
        if assignment.careful() is None:
            consumer.resume(*[each for each, one in assignment.partitions.items() if not one.paused])
        await offsets.commit(consumer, {tp: (watermark.committable, watermark.metadata)})

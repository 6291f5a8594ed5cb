"""The poll loop: records become items in lanes; what is done is committed; a revoked partition is drained first."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, UnsupportedCodecError

from bridge.command import BadRecord, Command, Record, Skipped
from bridge.errors import KafkaAwayError
from bridge.intake import progress, tolerant
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.decode import Decoder
from bridge.intake.lanes import Lane, Lanes
from bridge.intake.watermark import Watermark
from bridge.outcome import Settled
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

POLL_TIMEOUT_MS = 200
POLL_RECORDS_MAX = 1000
AGAIN_AFTER_ERROR = timedelta(seconds=1)
COMMIT_INTERVAL = timedelta(seconds=1)
COMMIT_TIMEOUT = timedelta(seconds=5)
POSITION_TIMEOUT = timedelta(seconds=1)
REVOKE_TIMEOUT = timedelta(seconds=45)  # under the rebalance timeout

LaneKey: TypeAlias = tuple[TopicPartition, str | int]
"""The partition and the workflow id: order holds within a partition. A record that is no command has its offset."""

log = logs.get(__name__)


@dataclass(slots=True)
class Item:
    """A record in a lane.

    `is_new` tells that nobody can have handled it before; `settled` survives a retry; `stalled` tells that a server
    was away when it was tried; `last_look` that its target was found missing when all starts were read.
    """

    content: Command | BadRecord | Skipped
    partition: TopicPartition
    assignment: Assignment
    is_new: bool
    settled: Settled | None = None
    stalled: bool = False
    last_look: bool = False

    def done(self) -> None:
        """Let the item's offset be committed; without effect once the partition is another process's."""
        self.assignment.done(self.partition, self.content.record)


Work: TypeAlias = Callable[[Lane[LaneKey, Item]], Awaitable[timedelta | None]]


class Intake(ConsumerRebalanceListener):
    """Polls one consumer. `run` until `stop`, then `finish` what is in hand and commit."""

    def __init__(
        self,
        decoder: Decoder,
        work: Work,
        *,
        in_flight_max: int,
        waiting_max: int,
        is_held: Callable[[str], bool],
        health: Health,
    ) -> None:
        """Take what makes commands, what carries them out, the bounds, and what tells that a topic must pause now."""
        self._decoder = decoder
        self._waiting_max = waiting_max
        self._assignment = Assignment(waiting_max)
        self._taking = False
        self._stopping = asyncio.Event()
        self._consumer: AIOKafkaConsumer | None = None
        self._positions_hold = True
        self.lanes: Lanes[LaneKey, Item] = Lanes(work, in_flight_max)
        self._is_held = is_held
        self._health = health
        self.polls = 0
        self.taken = 0

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The consumer that `run` polls; raises `KafkaAwayError` while there is none."""
        if self._consumer is None:
            raise KafkaAwayError("the consumer is being replaced")
        return self._consumer

    @property
    def stopping(self) -> bool:
        """Whether no new record is taken any more."""
        return self._stopping.is_set()

    @property
    def paused_partitions(self) -> int:
        """Return how many partitions are paused."""
        return self._assignment.paused

    def stop(self) -> None:
        """Take no new record."""
        self._taking = False
        self._stopping.set()

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        """Poll until `stop`. A poll is never cancelled: that would disable the client's own poll watchdog for good."""
        self._consumer = consumer
        if consumer.assignment():
            await self.on_partitions_assigned(consumer.assignment())
        async with asyncio.TaskGroup() as group:
            committing = group.create_task(self._commit_regularly(), name="commit")
            while not self._stopping.is_set():
                await self._poll()
            committing.cancel()

    async def finish(self) -> None:
        """Finish what is in hand, forget what is not begun, and commit what is done.

        A command that was begun while a server is away stays in hand until that is back, or the caller gives up.
        """
        self.stop()
        self.lanes.drop(keep=lambda item: item.stalled)
        try:
            await self.lanes.idle()
        finally:
            await self._commit()

    async def abandon(self) -> None:
        """Let go of a consumer that is stuck: what is in hand is finished, and nothing of it is committed."""
        self._taking = False
        self._assignment = Assignment(self._waiting_max)
        self._consumer = None
        self.lanes.drop()
        await self.lanes.idle()

    async def lag(self) -> int:
        """Return how many offsets the broker has that were not polled, in partitions that are not paused.

        Raises `KafkaError` or `TimeoutError` where the broker does not answer.
        """
        partitions = [tp for tp, partition in self._assignment.partitions.items() if not partition.paused]
        async with asyncio.timeout(COMMIT_TIMEOUT.total_seconds()):
            ends: dict[TopicPartition, int] = await self.consumer.end_offsets(partitions)
            return sum([max(0, end - await self.consumer.position(tp)) for tp, end in ends.items()])

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Drain before the partitions go to another member."""
        if not revoked:
            return
        self._taking = False
        self.lanes.drop()  # the protocol is eager: all partitions go
        try:
            async with asyncio.timeout(REVOKE_TIMEOUT.total_seconds()):
                await self.lanes.idle()
        except TimeoutError:
            pass  # what is still in hand is done again by the next owner, without a second effect
        await self._commit()
        self._assignment = Assignment(self._waiting_max)
        log.info(Log.PARTITIONS_REVOKED, partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin each partition at its committed offset."""
        if self._consumer is None:
            return  # `run` begins with what is assigned
        assignment = Assignment(self._waiting_max)
        ends, done = await self._end_offsets(assigned), await self._done_before(assigned)
        for tp in assigned:
            watermark = Watermark(done.get(tp, progress.NOTHING))
            assignment.partitions[tp] = Partition(watermark, end_offset=ends.get(tp, 2**63))
        if self.consumer.assignment() != set(assigned):
            return  # moved again meanwhile: the next call is on its way
        self._assignment = assignment
        self._positions_hold = True
        self._taking = not self._stopping.is_set()
        self._tell_joined()
        log.info(Log.PARTITIONS_ASSIGNED, partitions=len(assigned))

    def _tell_joined(self) -> None:
        # What is in hand tells of these; it went with the last assignment, and what comes with this one tells anew.
        for part in (Part.KAFKA, Part.CONFIGURATION):
            self._health.works(part)
        self._tell_works()

    def _tell_works(self) -> None:
        if Part.INTAKE in self._health.problems and self._taking:
            self._health.works(Part.INTAKE)
            log.info(Log.READY)

    async def _end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        try:
            async with asyncio.timeout(POSITION_TIMEOUT.total_seconds() * 5):
                ends: dict[TopicPartition, int] = await self.consumer.end_offsets(list(partitions))
        except (KafkaError, TimeoutError):
            return {}  # every record counts as one that may have been handled before
        return ends

    async def _done_before(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, progress.Done]:
        """Return what the owners before us did behind their last commits."""
        coordinator: Any = self.consumer._coordinator  # noqa: SLF001 - the client's `committed` leaves the metadata out
        try:
            async with asyncio.timeout(POSITION_TIMEOUT.total_seconds() * 5):
                found = await coordinator.fetch_committed_offsets(list(partitions))
        except (KafkaError, TimeoutError):
            return {}  # it is done again, without a second effect
        return {tp: progress.decode(commit.offset, commit.metadata) for tp, commit in found.items()}

    async def _poll(self) -> None:
        self.polls += 1
        try:
            batches = await self.consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=POLL_RECORDS_MAX)
        except (CorruptRecordException, UnsupportedCodecError):
            await self._read_past_damage()
            return
        except KafkaError as error:
            self._health.fails(Part.INTAKE, f"{type(error).__name__}: {error}")
            await asyncio.sleep(AGAIN_AFTER_ERROR.total_seconds())
            return
        except Exception:  # noqa: BLE001 - the client's parsers raise whatever they like at bytes that are not sound
            await self._read_past_damage()
            return
        self._tell_works()
        # No await from here on: the assignment cannot change under the records.
        for tp, records in batches.items():
            self._take_all(tp, records)
        self._pause_or_resume()

    async def _read_past_damage(self) -> None:
        """Read each partition once in a way that no record breaks: the client says not which one it was."""
        assignment = self._assignment
        # What the client had read of other partitions is thrown away, and yet counts as read.
        self._positions_hold = False
        try:
            positions = {
                tp: partition.watermark.position or await self._begin_of(tp)
                for tp, partition in assignment.partitions.items()
            }
            found = await tolerant.read(self.consumer, positions)
            if assignment is not self._assignment or not self._taking:
                return
            for tp, position in positions.items():
                records, next_position = found.get(tp, ([], position))
                self._take_all(tp, records)
                self.consumer.seek(tp, next_position)
            self._positions_hold = True
        except KafkaError as error:
            self._health.fails(Part.INTAKE, f"{type(error).__name__}: {error}")
            await asyncio.sleep(AGAIN_AFTER_ERROR.total_seconds())

    async def _begin_of(self, tp: TopicPartition) -> int:
        committed: int | None = await self.consumer.committed(tp)
        if committed is not None:
            return committed
        begins: dict[TopicPartition, int] = await self.consumer.beginning_offsets([tp])
        return begins[tp]

    def _take_all(self, tp: TopicPartition, records: "Sequence[ConsumerRecord[Any, Any]]") -> None:
        if self._taking and tp in self._assignment.partitions:
            for record in records:
                self._take(tp, _record(record))
        elif records and tp in self.consumer.assignment():
            # They come between two assignments, or after the stop. The client counts them as read: without this its
            # position, and so the next commit, would pass over them.
            self.consumer.seek(tp, records[0].offset)

    def _take(self, tp: TopicPartition, record: Record) -> None:
        assignment = self._assignment
        self.taken += 1
        if not assignment.take(tp, record):
            return
        content = self._decoder.decode(record)
        item = Item(content, tp, assignment, assignment.is_new(tp, record))
        key = content.workflow_id if isinstance(content, Command) else record.offset
        self.lanes.put((tp, key), item)

    def _pause_or_resume(self) -> None:
        def is_held(tp: TopicPartition) -> bool:
            return self._is_held(tp.topic)

        if pausing := self._assignment.to_pause(is_held):
            self.consumer.pause(*pausing)
        if resuming := self._assignment.to_resume(is_held):
            self.consumer.resume(*resuming)

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_INTERVAL.total_seconds())
            await self._commit()

    async def _commit(self) -> None:
        assignment = self._assignment
        offsets = assignment.to_commit(await self._positions(assignment))
        if not offsets or assignment is not self._assignment:
            return
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT.total_seconds()):
                await self.consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            # Nothing is lost: the next commit covers it, or the next owner repeats it without a second effect.
            log.warning(Log.COMMIT_FAILED, error=str(error) or type(error).__name__)
            return
        assignment.committed(offsets)

    async def _positions(self, assignment: Assignment) -> dict[TopicPartition, int]:
        """Return where the consumer is in partitions of which nothing is in hand: control records leave gaps."""
        positions: dict[TopicPartition, int] = {}
        if not self._positions_hold:
            return positions
        idle = [tp for tp, partition in assignment.partitions.items() if partition.watermark.pending == 0]
        try:
            async with asyncio.timeout(POSITION_TIMEOUT.total_seconds()):
                for tp in idle:
                    positions[tp] = await self.consumer.position(tp)
        except (KafkaError, TimeoutError):
            pass  # a partition that is being moved or has no leader now: the next commit asks again
        return {tp: position for tp, position in positions.items() if not assignment.partitions[tp].watermark.pending}


def _record(record: "ConsumerRecord[Any, Any]") -> Record:
    damage = next((name for name, _ in record.headers if isinstance(name, tolerant.Damage)), None)
    headers = record.headers
    if damage is not None:
        headers = [(str(name), value) for name, value in headers if not isinstance(name, tolerant.BatchDamage)]
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(headers),
        damage=damage.reason if damage is not None else None,
    )

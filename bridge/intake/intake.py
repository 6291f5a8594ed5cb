"""The poll loop: records become items in lanes; what is done is committed; a revoked partition is drained first."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from bridge.command import BadRecord, Command, Record
from bridge.errors import KafkaAwayError
from bridge.intake import joining, offsets, received
from bridge.intake.alone import Alone
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.committing import Committing, Took
from bridge.intake.decode import Decoder
from bridge.intake.item import Content, Item, LaneKey, Work
from bridge.intake.lag import Lag
from bridge.intake.lanes import Lanes
from bridge.intake.reader import Batches, Reader
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log, Operation

POLL_TIMEOUT_MS = 500
READ_AHEAD_TIMEOUT = timedelta(milliseconds=200)
POLL_RECORDS_MAX = 250  # about 5 ms of work
REVOKE_TIMEOUT = timedelta(seconds=45)  # under the rebalance timeout

log = logs.get(__name__)


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
        took: Took = lambda _, __: None,
    ) -> None:
        """Take what makes commands, what carries them out, the bounds, and what tells that a topic must pause now.

        `took` is told how many seconds each poll and commit took.
        """
        self._took = took
        self._decoder = decoder
        self._waiting_max = waiting_max
        self._assignment = Assignment(waiting_max)
        self._taking = False
        self._stopping = asyncio.Event()
        self._consumer: AIOKafkaConsumer | None = None
        self._reader = Reader(health, self._take_all, self._is_taking)
        self.lanes: Lanes[LaneKey, Item] = Lanes(work, in_flight_max)
        self._is_held = is_held
        self._alone = Alone(self.lanes, is_held, self._fetched, self._take_alone, self._is_taking)
        self.committing = Committing(lambda: self.consumer, lambda: self._assignment, self._reader, took)
        self.lag = Lag(lambda: self._consumer, lambda: self._assignment.partitions)
        self._health = health
        self._suspicion: str | None = None
        self.broken: str | None = None
        self.polls = 0
        self.taken = 0

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The consumer that `run` polls; raises `KafkaAwayError` while there is none."""
        if self._consumer is None:
            raise KafkaAwayError("the consumer is being replaced")
        return self._consumer

    @property
    def partitions(self) -> Mapping[TopicPartition, Partition]:
        """The partitions that are held now."""
        return self._assignment.partitions

    @property
    def stopping(self) -> bool:
        """Whether no new record is taken any more."""
        return self._stopping.is_set()

    @property
    def paused_partitions(self) -> int:
        """Return how many partitions are paused."""
        return self._assignment.paused

    def suspect(self, problem: str | None) -> None:
        """Note what speaks against the consumer although its polls come back; None where nothing does."""
        self._suspicion = problem
        if problem is not None and self._taking:
            self._health.fails(Part.INTAKE, problem)

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
            committing = group.create_task(self.committing.run(), name="commit")
            while not self._stopping.is_set():
                await self._poll()
                await self._until_wanted()
            committing.cancel()

    async def _until_wanted(self) -> None:
        """Let the commands go on, and read no further ahead than is of use: what waits as a command takes memory.

        Not for long, as members must poll, and as keys that wait for a server hold workers.
        """
        await asyncio.sleep(0)  # the client does not wait while it has something
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READ_AHEAD_TIMEOUT.total_seconds()):
                await self.lanes.wanted()

    async def finish(self) -> None:
        """Finish what is in hand, forget what is not begun, and commit what is done.

        A command that was begun while a server is away stays in hand until that is back, or the caller gives up.
        """
        self.stop()
        self.lanes.drop(keep=lambda item: item.stalled)
        try:
            await self.lanes.idle()
        finally:
            await self.committing.finish()

    async def abandon(self) -> None:
        """Let go of a consumer that is stuck: what is in hand is finished, and nothing of it is committed."""
        self._taking = False
        self._assignment = Assignment(self._waiting_max)
        self._consumer = None
        self._suspicion = self.broken = None
        self.lanes.drop()
        await self.lanes.idle()

    async def unread(self) -> int:
        """Return how many offsets the broker has that were not polled, in partitions that are not paused.

        None are while partitions are drained or given out, or records begun alone. Raises `KafkaError` or
        `TimeoutError` where the broker does not answer.
        """
        if not self._taking or self._assignment.careful() is not None:
            return 0
        unpaused = [tp for tp, partition in self._assignment.partitions.items() if not partition.paused]
        return await offsets.lag(self.consumer, unpaused)

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
        await self.committing.finish()
        self._assignment = Assignment(self._waiting_max)
        log.info(Log.PARTITIONS_REVOKED, partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin each partition at its committed offset."""
        if self._consumer is None:
            return  # `run` begins with what is assigned
        assignment = await joining.begin(self.consumer, assigned, self._waiting_max)
        if self.consumer.assignment() != set(assigned):
            return  # moved again meanwhile: the next call is on its way
        self._assignment = assignment
        self.committing.begin()
        self._reader.begin()
        self._taking = not self._stopping.is_set()
        self._tell_joined()
        log.info(Log.PARTITIONS_ASSIGNED, partitions=len(assigned))

    def _tell_joined(self) -> None:
        # What is in hand tells of these; it went with the last assignment, and what comes with this one tells anew.
        for part in (Part.KAFKA, Part.CONFIGURATION):
            self._health.works(part)
        self._tell_works()

    def _tell_works(self) -> None:
        if Part.INTAKE in self._health.problems and self._taking and self._suspicion is None:
            self._health.works(Part.INTAKE)
            log.info(Log.READY)

    async def _poll(self) -> None:
        self.polls += 1
        if self._taking and (careful := self._assignment.careful()) is not None:
            await self._alone.step(self.consumer, self._assignment, careful)
            return
        batches = await self._fetched(POLL_RECORDS_MAX, POLL_TIMEOUT_MS)
        if batches is None:
            return
        self._tell_works()
        # No await from here on: the assignment cannot change under the records.
        for tp, records in batches.items():
            self._take_all(tp, [received.record(record) for record in records])
        self._pause_or_resume()

    async def _fetched(self, records_max: int, timeout_ms: int) -> Batches | None:
        began = time.perf_counter()
        found = await self._reader.fetch(self.consumer, self._assignment, records_max, timeout_ms)
        self._took(Operation.POLL, time.perf_counter() - began)
        return found

    def _take_all(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        self._refuse_older(tp, records)
        if self._taking and (partition := self._assignment.partitions.get(tp)):
            self.taken += len(records)
            for record in records:
                size_bytes = record.memory_bytes
                if partition.take(record.offset, size_bytes):
                    self._put(tp, partition, self._decoder.decode(record), size_bytes)
        elif records and tp in self.consumer.assignment():
            # They come between two assignments, or after the stop. The client counts them as read: without this its
            # position, and so the next commit, would pass over them.
            self.consumer.seek(tp, records[0].offset)

    def _refuse_older(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Let go of all partitions where one goes back: its log has lost its end, or its topic was made anew.

        What is done of the old log tells nothing of the new one, and nothing may be committed until both are known.
        """
        partition = self._assignment.partitions.get(tp)
        if partition is not None and records and records[0].offset < (partition.watermark.position or 0):
            self._taking = False
            self._assignment = Assignment(self._waiting_max)
            self.broken = f"{tp.topic}/{tp.partition} has gone back to offset {records[0].offset}"

    def _is_taking(self, assignment: Assignment) -> bool:
        return self._taking and assignment is self._assignment

    def _take_alone(self, tp: TopicPartition, record: Record, content: BadRecord | None) -> None:
        partition, size_bytes = self._assignment.partitions[tp], record.memory_bytes
        self.taken += 1
        if partition.take(record.offset, size_bytes):
            self._put(tp, partition, content or self._decoder.decode(record), size_bytes)

    def _put(self, tp: TopicPartition, partition: Partition, content: Content, size_bytes: int) -> None:
        offset = content.record.offset
        if not (isinstance(content, Command) and content.route.starts):
            partition.watermark.begins_nothing(offset)
        item = Item(content, tp, self._assignment, partition.is_new(offset), size_bytes)
        self.lanes.put((tp, content.workflow_id if isinstance(content, Command) else offset), item)

    def _pause_or_resume(self) -> None:
        def is_held(tp: TopicPartition) -> bool:
            return self._is_held(tp.topic)

        if pausing := self._assignment.to_pause(is_held):
            self.consumer.pause(*pausing)
        if resuming := self._assignment.to_resume(is_held):
            self.consumer.resume(*resuming)

"""The poll loop: what comes is taken, what is done is committed, and a revoked partition is drained first."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from bridge.errors import KafkaAwayError
from bridge.intake import joining, offsets, received
from bridge.intake.alone import Alone
from bridge.intake.assignment import Partition
from bridge.intake.committing import Committing, Took
from bridge.intake.decode import Decoder
from bridge.intake.item import Item, LaneKey, Work
from bridge.intake.lag import Lag
from bridge.intake.lanes import Lanes
from bridge.intake.reader import Batches, Reader
from bridge.intake.readiness import Readiness
from bridge.intake.taking import Taking
from bridge.telemetry import logs
from bridge.telemetry.health import Health
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
        self._waiting_max = waiting_max
        self._consumer: AIOKafkaConsumer | None = None
        self.lanes: Lanes[LaneKey, Item] = Lanes(work, in_flight_max)
        self.taking = Taking(decoder, self.lanes, lambda: self.consumer, waiting_max)
        self.readiness = Readiness(health, self.taking)
        self._reader = Reader(health, self.taking.take_all, self.taking.is_current)
        self._is_held = is_held
        self._alone = Alone(self.lanes, is_held, self._fetched, self.taking.take_alone, self.taking.is_current)
        self.committing = Committing(lambda: self.consumer, lambda: self.taking.assignment, self._reader, took)
        self.lag = Lag(lambda: self._consumer, lambda: self.partitions)
        self.polls = 0

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The consumer that `run` polls; raises `KafkaAwayError` while there is none."""
        if self._consumer is None:
            raise KafkaAwayError("the consumer is being replaced")
        return self._consumer

    @property
    def partitions(self) -> Mapping[TopicPartition, Partition]:
        """The partitions that are held now."""
        return self.taking.assignment.partitions

    @property
    def paused_partitions(self) -> int:
        """Return how many partitions are paused."""
        return self.taking.assignment.paused

    def stop(self) -> None:
        """Take no new record."""
        self.taking.stop()

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        """Poll until `stop`. A poll is never cancelled: that would disable the client's own poll watchdog for good."""
        self._consumer = consumer
        if consumer.assignment():
            await self.on_partitions_assigned(consumer.assignment())
        async with asyncio.TaskGroup() as group:
            committing = group.create_task(self.committing.run(), name="commit")
            while not self.taking.is_stopped:
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
        self.taking.renew()
        self._consumer = None
        self.readiness.renew()
        self.lanes.drop()
        await self.lanes.idle()

    async def unread(self) -> int:
        """Return how many offsets the broker has that were not polled, in partitions that are not paused.

        None are while partitions are drained or given out, or records begun alone. Raises `KafkaError` or
        `TimeoutError` where the broker does not answer.
        """
        if not self.taking.is_on or self.taking.assignment.careful() is not None:
            return 0
        unpaused = [tp for tp, partition in self.taking.assignment.partitions.items() if not partition.paused]
        return await offsets.lag(self.consumer, unpaused)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Drain before the partitions go to another member."""
        if not revoked:
            return
        self.taking.pause()
        self.lanes.drop()  # the protocol is eager: all partitions go
        try:
            async with asyncio.timeout(REVOKE_TIMEOUT.total_seconds()):
                await self.lanes.idle()
        except TimeoutError:
            pass  # what is still in hand is done again by the next owner, without a second effect
        await self.committing.finish()
        self.taking.leave()
        log.info(Log.PARTITIONS_REVOKED, partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin each partition at its committed offset."""
        if self._consumer is None:
            return  # `run` begins with what is assigned
        assignment = await joining.begin(self.consumer, assigned, self._waiting_max)
        if self.consumer.assignment() != set(assigned):
            return  # moved again meanwhile: the next call is on its way
        self.taking.begin(assignment)
        self.committing.begin()
        self._reader.begin()
        self.readiness.joined()
        log.info(Log.PARTITIONS_ASSIGNED, partitions=len(assigned))

    async def _poll(self) -> None:
        self.polls += 1
        if self.taking.is_on and (careful := self.taking.assignment.careful()) is not None:
            await self._alone.step(self.consumer, self.taking.assignment, careful)
            return
        batches = await self._fetched(POLL_RECORDS_MAX, POLL_TIMEOUT_MS)
        if batches is None:
            return
        self.readiness.polled()
        # No await from here on: the assignment cannot change under the records.
        for tp, records in batches.items():
            self.taking.take_all(tp, [received.record(record) for record in records])
        self._pause_or_resume()

    async def _fetched(self, records_max: int, timeout_ms: int) -> Batches | None:
        began = time.perf_counter()
        found = await self._reader.fetch(self.consumer, self.taking.assignment, records_max, timeout_ms)
        self._took(Operation.POLL, time.perf_counter() - began)
        return found

    def _pause_or_resume(self) -> None:
        def is_held(tp: TopicPartition) -> bool:
            return self._is_held(tp.topic)

        if pausing := self.taking.assignment.to_pause(is_held):
            self.consumer.pause(*pausing)
        if resuming := self.taking.assignment.to_resume(is_held):
            self.consumer.resume(*resuming)

"""The lines of one producer: one for each partition that it writes to.

Batches form by themselves: while one is being written, the next gathers. A round takes from every line that has
something and is not being written; there is no task, timer or future for a single record.
"""

import asyncio
import functools
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta

from aiokafka import AIOKafkaProducer

from bridge.errors import KafkaAwayError, TopicRefusedError
from bridge.outcomes.event import OutRecord
from bridge.producer import verdict
from bridge.producer.delivery import Delivery
from bridge.producer.directory import Directory
from bridge.producer.line import Line
from bridge.producer.verdict import Verdict

REQUEST_BYTES_MAX = 2_621_440  # 2.5 MiB: a dead letter of 2 MiB with its headers
ACKNOWLEDGED_WITHIN = timedelta(seconds=15)
TOPIC_THERE_WITHIN = timedelta(seconds=3)
LOOK_EVERY = timedelta(seconds=0.5)  # for what has been written too long
# The more went with a round, the longer the next one gathers: a request costs as much as many records.
PAUSE_A_RECORD = timedelta(microseconds=400)
PAUSE_MAX = timedelta(milliseconds=10)


class Lines:
    """Takes records until its producer comes to its end; what is not acknowledged then goes back to who sent it."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        one_by_one: set[str],
        ended: Callable[["Lines", BaseException | None], None],
    ) -> None:
        """Take a started producer, the topics that refuse several records at once, and who is told of the end.

        `ended` gets the error of which the producer broke, or None where a topic was to blame.
        """
        self.producer = producer
        self._cluster = producer.client.cluster
        self._one_by_one = one_by_one
        self._ended = ended
        self._has_ended = False
        self._loop = asyncio.get_running_loop()
        self._directory = Directory(producer.client.cluster)
        self._ready: list[Line] = []
        self._writing: set[Line] = set()
        self._next_round: asyncio.Handle | None = None
        self._round: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._look: asyncio.Handle | None = None
        self._missing_since: dict[str, float] = {}

    def open(self, topic: str) -> None:
        """Begin to take records of a topic that the client knows."""
        if not self._has_ended:
            self._directory.open(topic)

    def take(self, records: Sequence[OutRecord]) -> Delivery | None:
        """Take all of the records, or none where a topic is not open."""
        lines = self._directory.lines_for(records)
        if lines is None:
            return None
        delivery = Delivery(self._loop.create_future(), len(lines))
        for line, record in zip(lines, records, strict=True):
            line.waiting.append((record, delivery))
            if not line.is_queued:
                self._queue(line)
        return delivery

    def end(self, error: BaseException | None = None) -> None:
        """Give everything back, and write no more."""
        if self._has_ended:
            return
        self._has_ended = True
        for handle in (self._next_round, self._look):
            if handle is not None:
                handle.cancel()
        lines = {*self._directory, *self._writing}
        self._directory.clear()
        self._writing.clear()
        self._ended(self, error)
        for line in lines:
            line.give_back()

    def _queue(self, line: Line) -> None:
        line.is_queued = True
        self._ready.append(line)
        if self._next_round is None:
            self._next_round = self._loop.call_at(self._not_before, self._begin_round)

    def _begin_round(self) -> None:
        self._round = self._loop.create_task(self._write_round())

    async def _write_round(self) -> None:
        ready, self._ready = self._ready, []
        self._next_round = None
        written = 0
        for line in ready:
            self._directory.forget_if_changed(line.topic)
            await self._write(line)
            written += len(line.writing)
        self._not_before = self._loop.time() + min(PAUSE_MAX, PAUSE_A_RECORD * written).total_seconds()
        if self._look is None and self._writing:
            self._look = self._loop.call_later(LOOK_EVERY.total_seconds(), self._look_for_late_ones)

    async def _write(self, line: Line) -> None:
        """Write a batch; nothing here waits, as the topic is known and the line has no other batch."""
        batch = self.producer.create_batch()
        line.fill(batch, 1 if line.topic in self._one_by_one else sys.maxsize)
        if batch.size() > REQUEST_BYTES_MAX:  # one record then: the broker need not be asked
            line.fail(functools.partial(TopicRefusedError, line.topic, verdict.TOO_LARGE))
        if not line.writing:
            self._go_on(line)
            return
        line.begun = self._loop.time()
        self._writing.add(line)
        try:
            acknowledged = await self.producer.send_batch(batch, line.topic, partition=line.partition)
        except Exception as error:  # noqa: BLE001 - the line must go on, and its senders know
            self._meet(line, error)
        else:
            acknowledged.add_done_callback(functools.partial(self._acknowledged, line))

    def _acknowledged(self, line: Line, acknowledged: "asyncio.Future[object]") -> None:
        error = acknowledged.exception()
        if self._has_ended:
            return
        if error is None:
            line.arrived()
            self._go_on(line)
        else:
            self._meet(line, error)

    def _go_on(self, line: Line) -> None:
        self._writing.discard(line)
        line.is_queued = False
        if line.waiting:
            self._queue(line)

    def _meet(self, line: Line, error: BaseException) -> None:
        """Tell whom it concerns."""
        match verdict.of(error, len(line.writing)):
            case Verdict.KAFKA_AWAY:
                line.fail(_away(error))
                self._go_on(line)
            case Verdict.PRODUCER_BROKEN:
                line.fail(_away(error))
                self.end(error)
            case Verdict.BATCH_TOO_LARGE:
                self._one_by_one.add(line.topic)
                self.end()
            case Verdict.RECORD_TOO_LARGE:
                line.fail(functools.partial(TopicRefusedError, line.topic, verdict.TOO_LARGE))
                self.end()
            case Verdict.TOPIC_UNAUTHORISED:
                self._refuse(line.topic, verdict.UNAUTHORISED)

    def _refuse(self, topic: str, problem: str) -> None:
        """End, as what the producer holds for the topic would be written later, beside a copy."""
        for line in {*self._directory.of(topic), *self._writing}:
            if line.topic == topic:
                line.fail_all(functools.partial(TopicRefusedError, topic, problem))
        self.end()

    def _look_for_late_ones(self) -> None:
        self._look = None
        now = self._loop.time()
        for line in list(self._writing):
            if self._cluster.partitions_for_topic(line.topic):
                self._missing_since.pop(line.topic, None)
            elif now - self._missing_since.setdefault(line.topic, now) >= TOPIC_THERE_WITHIN.total_seconds():
                self._refuse(line.topic, verdict.MISSING)  # it was there when it was opened
                return
            if now - line.begun >= ACKNOWLEDGED_WITHIN.total_seconds():
                line.begun = now  # the client goes on with the batch, and no other follows before it has succeeded
                line.fail_all(
                    lambda: KafkaAwayError(f"no acknowledgement within {ACKNOWLEDGED_WITHIN.total_seconds():g} s")
                )
        if self._writing:
            self._look = self._loop.call_later(LOOK_EVERY.total_seconds(), self._look_for_late_ones)


def _away(error: BaseException) -> Callable[[], KafkaAwayError]:
    return functools.partial(KafkaAwayError, f"{type(error).__name__}: {error}")

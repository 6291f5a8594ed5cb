"""A member of the group: the bridge's own intake and lanes, on a consumer that never waits."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from bridge.command import BadRecord, Command, Record
from bridge.intake.intake import Intake
from bridge.intake.item import Item, LaneKey
from bridge.intake.lanes import Lane
from bridge.telemetry.health import Health
from tests.engine import records
from tests.model.broker import Broker, Consumer
from tests.model.reference import Reference
from topics.replies import DeadLetterReason

IN_FLIGHT_MAX = 4
WAITING_MAX = 9
TURNS = 12  # of the loop: more than the longest way of a callback to its effect

STARTING = next(route for route in records.ROUTES.rows if route.starts)
SIGNALLING = next(route for route in records.ROUTES.rows if not route.starts)
COMMAND = records.command(records.record())


class Decoder:
    """Makes a command of what the log says of a record."""

    def decode(self, record: Record) -> Command | BadRecord:
        if record.value == b"bad" or record.damage is not None:
            return BadRecord(record, DeadLetterReason.UNDECODABLE, "value: is bad")
        route = STARTING if record.value == b"start" else SIGNALLING
        return replace(COMMAND, record=record, route=route, workflow_id=(record.key or b"").decode())


class Begun(NamedTuple):
    """A record that is in hand; its `answer` is what the work returns."""

    tp: TopicPartition
    offset: int
    answer: "asyncio.Future[timedelta | None]"


class Member:
    """`alive` until it crashed or left; `in_group` while the group counts it in, which a frozen one does not know."""

    def __init__(self, loop: asyncio.AbstractEventLoop, broker: Broker, reference: Reference) -> None:
        self._loop = loop
        self._reference = reference
        self.consumer = Consumer(broker)
        self.in_hand: list[Begun] = []
        self.alive = self.in_group = True
        self.draining: asyncio.Task[None] | None = None
        decoder: Any = Decoder()
        self.intake = Intake(
            decoder,
            self._work,
            in_flight_max=IN_FLIGHT_MAX,
            waiting_max=WAITING_MAX,
            is_held=lambda _: False,
            health=Health(),
        )
        consumer: Any = self.consumer
        self.intake._consumer = consumer
        self._lanes = loop.create_task(self.intake.lanes.run())

    def run(self, step: Coroutine[Any, Any, Any]) -> None:
        """Carry out a step, and whatever follows from it at once."""
        self._loop.run_until_complete(step)
        self.settle()

    def settle(self) -> None:
        self._loop.run_until_complete(_turns())

    def begin(self, step: Coroutine[Any, Any, None]) -> None:
        """Begin to drain."""
        self.draining = self._loop.create_task(step)
        self.settle()

    def poll(self, count: int) -> None:
        self.consumer.records_max = count
        self.run(self.intake._poll())

    def commit(self) -> None:
        self.run(self.intake.committing.commit())

    def answer(self, number: int, again: timedelta | None) -> None:
        """Let one of those in hand end, or be tried again."""
        self.in_hand[number % len(self.in_hand)].answer.set_result(again)
        self.settle()

    def drain(self, decide: Callable[[], timedelta | None]) -> None:
        """Answer what is in hand until the drain is over."""
        while self.draining is not None and not self.draining.done():
            assert self.in_hand, "the drain waits for nothing"
            self.answer(0, decide())
        if self.draining is not None:
            self.draining.result()
        self.draining = None

    def end(self) -> None:
        """Take the process away."""
        self.alive = self.in_group = False
        for task in filter(None, (self._lanes, self.draining)):
            task.cancel()
            self._loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        self.draining = None

    async def _work(self, lane: Lane[LaneKey, Item]) -> timedelta | None:
        item = lane.items[0]
        content, tp = item.content, item.partition
        begun = Begun(tp, content.record.offset, self._loop.create_future())
        is_unread = content.record.damage is not None
        self._reference.begins(self, begun, is_command=isinstance(content, Command), is_unread=is_unread)
        self.in_hand.append(begun)
        try:
            again = await begun.answer
            if again is None:
                self._reference.ends(self, begun)
                item.done()
        finally:
            self.in_hand.remove(begun)
        return again


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)

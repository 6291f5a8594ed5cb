"""Looks at a run for which a callback came, and announces its end: young ends here, late ones are the sweep's."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from aiokafka import TopicPartition

from bridge.callback import Origin
from bridge.dispatch.callbackmode import CallbackMode
from bridge.feed.callbacks.memory import Memory
from bridge.feed.callbacks.refusals import Reason, RefusedError
from bridge.feed.closing import WAIT_FOR_START, Closing
from bridge.feed.lookup import Lookup
from bridge.feed.sweep import HandledCommands
from bridge.outcomes.event import OutRecord
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric

# The sweep leaves ends to callbacks for 10 s: between the two, what is being written has time to be seen.
YOUNG = timedelta(seconds=8)


class Outcome(StrEnum):
    """What became of a callback."""

    TOLD = "told"
    KNOWN = "known"
    LEFT_TO_SWEEP = "left_to_sweep"
    NOT_ANNOUNCED = "not_announced"


class Sender(Protocol):
    """Writes records, and returns once Kafka has acknowledged them; raises `KafkaAwayError`."""

    async def send(self, records: Sequence[OutRecord]) -> None: ...


@dataclass(frozen=True, slots=True)
class Source:
    """One namespace, and its mode."""

    lookup: Lookup
    mode: CallbackMode


class Announcer:
    """Announces the ends that callbacks tell of, each once, behind its start. `has_handled` is as for the sweep."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        memory: Memory,
        outgoing: Sender,
        has_handled: HandledCommands,
        metrics: Metrics,
    ) -> None:
        self._sources = sources
        self._memory = memory
        self._outgoing = outgoing
        self._has_handled = has_handled
        self._metrics = metrics
        self._in_hand: set[str] = set()

    async def look(self, origin: Origin, run_id: str) -> Outcome:
        """Return what became of the run's end, once its event is in Kafka, or is surely the sweep's to tell.

        Raises `UnavailableError`, `KafkaError` or `TimeoutError`: then nothing is known, and it must be asked again.
        """
        source = self._sources.get(origin.namespace)
        if source is None:
            raise RefusedError(Reason.UNKNOWN_NAMESPACE, f"no route of ours names {origin.namespace}")
        if not run_id:
            return Outcome.LEFT_TO_SWEEP  # the server did not tell which run has ended
        closing = await source.lookup.closing(origin.workflow_id, run_id)
        if closing is None or closing.mark.request_id != origin.request_id.partition(":")[0]:
            return Outcome.NOT_ANNOUNCED
        if _age(closing) <= YOUNG:
            source.mode.arrived()  # late ones are as good as lost: Temporal sends no more than 100 a second
        if closing.ended_id in self._memory:
            return Outcome.KNOWN
        if closing.ended_id in self._in_hand:
            raise RefusedError(Reason.TWICE)  # the other call is about to write it
        self._in_hand.add(closing.ended_id)
        try:
            return await self._announce(closing)
        finally:
            self._in_hand.discard(closing.ended_id)

    async def _announce(self, closing: Closing) -> Outcome:
        if _age(closing) > YOUNG or closing.end.closed_ms < self._memory.reaches_back_to_ms:
            await self._memory.catch_up()  # also tells that Kafka is there
            return Outcome.KNOWN if closing.ended_id in self._memory else Outcome.LEFT_TO_SWEEP
        if not closing.is_plain or closing.topic is None:  # of what goes to no lifecycle topic there is no memory
            return Outcome.LEFT_TO_SWEEP
        is_out = await self._start_is_out(closing)
        if not is_out and closing.start_came_with_another:
            return Outcome.LEFT_TO_SWEEP  # the run before it must be announced first
        if (answer := closing.answer) is not None:
            # First, as there is no transaction here: an end that is in its topic counts as told in full.
            await self._outgoing.send([answer])
        await self._outgoing.send(closing.events(with_start=not is_out))
        self._memory.add(closing.ended_id, closing.end.closed_ms)
        self._metrics.count(Metric.LIFECYCLE_EVENTS, closing.end.state.value)
        return Outcome.TOLD

    async def _start_is_out(self, closing: Closing) -> bool:
        if closing.started_id in self._memory:
            return True
        if closing.begun.started_ms >= self._memory.reaches_back_to_ms:
            # The start of a run that continues another is written when the sweep announces that one.
            within = YOUNG - _age(closing) if closing.start_came_with_another else WAIT_FOR_START
            if await self._memory.sees(closing.started_id, within):
                return True
        if closing.start_came_with_another:
            return False  # also where it is old: the sweep may be as far behind
        # A command counts as done only after its run was announced.
        place = TopicPartition(closing.mark.topic, closing.mark.partition)
        return closing.is_begun_by_command and (await self._has_handled({place}))(place, closing.mark.offset)


def _age(closing: Closing) -> timedelta:
    return timedelta(seconds=time.time()) - timedelta(milliseconds=closing.end.closed_ms)

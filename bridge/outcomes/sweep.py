"""The sweep: looks for runs of ours that have closed, and announces each end once, in order, whoever ended it."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import TypeAlias

from aiokafka import TopicPartition

from bridge.mark import Mark
from bridge.outcomes import lifecycle
from bridge.outcomes.announced import Announced
from bridge.outcomes.ends import ClosedRun, Ends
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import End, RunFacts
from bridge.outcomes.ownership import Ownership
from bridge.routes import Routes
from bridge.telemetry import logs
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric
from topics.lifecycle import State

IDLE = timedelta(minutes=15)  # much more than visibility lags, and than the clocks differ
AHEAD = timedelta(hours=1)  # how far the server's clock may be before ours
WINDOW_ROWS_MAX = 5000
WINDOW_MIN_MS = 1000
TRANSACTION_ROWS = 200
READS_AT_ONCE = 16
WAIT_FOR_START = timedelta(seconds=1)

HasHandled: TypeAlias = Callable[[TopicPartition, int], bool]
HandledCommands: TypeAlias = Callable[[Collection[TopicPartition]], Awaitable[HasHandled]]

log = logs.get(__name__)


class Sweep:
    """Announces what has closed. `has_handled` asks which commands the group has done."""

    def __init__(
        self,
        ends: Ends,
        ownership: Ownership,
        announced: Announced,
        routes: Routes,
        has_handled: HandledCommands,
        metrics: Metrics,
    ) -> None:
        self._ends = ends
        self._ownership = ownership
        self._announced = announced
        self._routes = routes
        self._has_handled = has_handled
        self._metrics = metrics

    async def sweep(self, overlap: timedelta) -> bool:
        """Announce all that has closed since the watermark less `overlap`; return whether an end still waits.

        Raises `TemporalAwayError`, `KafkaError` or `TimeoutError`; what is not announced then is found again.
        """
        until_ms = _now_ms() + _ms(AHEAD)
        from_ms = max(0, self._ownership.watermark_ms(self._ends.namespace) - _ms(overlap))
        waiting = has_read = False
        while from_ms < until_ms and not waiting:
            closed, window_end_ms = await self._window(from_ms, until_ms)
            unknown = self._unknown(closed)
            if unknown and not has_read:
                await self._announced.catch_up()
                has_read, unknown = True, self._unknown(unknown)
            for runs in _chunks(unknown, TRANSACTION_ROWS):
                waiting = await self._announce(runs) or waiting
            from_ms = window_end_ms
        if not has_read:
            await self._announced.pass_over()
        return waiting

    @property
    def watermark_ms(self) -> int:
        """The close time up to which the namespace's ends are announced, in ms since the epoch; 0 at first."""
        return self._ownership.watermark_ms(self._ends.namespace)

    async def keep_up(self, began_ms: int) -> None:
        """Move the watermark of a namespace in which nothing ends behind a sweep that began then and left nothing.

        Else each sweep would ask for more time, and the memory that the namespaces share could forget nothing.
        """
        if began_ms - self.watermark_ms > 2 * _ms(IDLE):
            await self._ownership.write([], self._ends.namespace, began_ms - _ms(IDLE))

    async def _window(self, from_ms: int, until_ms: int) -> tuple[list[ClosedRun], int]:
        """Return the closed runs of a window that is not too large, oldest first, and where it ends."""
        while True:
            runs: list[ClosedRun] = []
            async for page in self._ends.closed_between(from_ms, until_ms):
                runs += page
                if len(runs) > WINDOW_ROWS_MAX and until_ms - from_ms > WINDOW_MIN_MS:
                    until_ms = from_ms + (until_ms - from_ms) // 2
                    break
            else:
                return sorted(runs, key=lambda run: run.closed_ms), until_ms

    def _unknown(self, closed: Iterable[ClosedRun]) -> list[ClosedRun]:
        return [run for run in closed if not self._is_announced(run, run.state)]

    def _is_announced(self, run: ClosedRun, state: State) -> bool:
        return lifecycle.event_id(self._ends.namespace, run.workflow_id, run.run_id, state) in self._announced

    async def _announce(self, runs: Sequence[ClosedRun]) -> bool:
        """Write the ends of some runs and the watermark in one transaction; return whether one must wait."""
        has_handled = await self._has_handled({_partition(run.mark) for run in runs if run.mark is not None})
        limit = asyncio.Semaphore(READS_AT_ONCE)

        async def read(run: ClosedRun) -> list[OutRecord] | None:
            async with limit:
                return await self._records(run, has_handled)

        found = _behind_each_other(runs, await asyncio.gather(*map(read, runs)))
        waiting = [run for run, records in zip(runs, found, strict=True) if records is None]
        records = [record for records in found for record in records or ()]
        watermark_ms = min((run.closed_ms - 1 for run in waiting), default=runs[-1].closed_ms)
        namespace = self._ends.namespace
        watermark_ms = max(watermark_ms, self._ownership.watermark_ms(namespace))
        await self._ownership.write(records, namespace, watermark_ms)
        for run, written in zip(runs, found, strict=True):
            if written is not None:
                event_id = lifecycle.event_id(namespace, run.workflow_id, run.run_id, run.state)
                self._announced.add(event_id, run.closed_ms)
            if written:
                self._metrics.count(Metric.LIFECYCLE_EVENTS, run.state.value)
        return bool(waiting)

    async def _records(self, run: ClosedRun, has_handled: HasHandled) -> list[OutRecord] | None:
        """Return what announces a run's end, and its start where that may be missing; None to wait for the start."""
        topic = self._topic(run)
        told = await self._ends.read(run) if topic is not None and run.mark is not None else None
        if topic is None or run.mark is None or told is None:
            return []
        facts, end = told
        records = []
        if not self._start_is_out(run, run.mark, facts, has_handled):
            if _now_ms() - run.closed_ms < _ms(WAIT_FOR_START):
                return None
            records.append(lifecycle.started(run.mark, facts, topic))
        records.append(lifecycle.ended(run.mark, facts, end, topic))
        return records + await self._start_of_next(run.mark, facts, end, topic)

    async def _start_of_next(self, mark: Mark, facts: RunFacts, end: End, topic: str) -> list[OutRecord]:
        if end.new_run_id is None:
            return []
        return [lifecycle.started(mark, await self._ends.successor(facts, end.new_run_id), topic)]

    def _start_is_out(self, run: ClosedRun, mark: Mark, facts: RunFacts, has_handled: HasHandled) -> bool:
        if facts.run_id != facts.first_run_id:
            return True  # it was written with the end of the run before
        # A command counts as done only after its run was announced.
        return has_handled(_partition(mark), mark.offset) or self._is_announced(run, State.STARTED)

    def _topic(self, run: ClosedRun) -> str | None:
        route = self._routes.for_command(run.mark.route) if run.mark is not None else None
        if route is None:
            log.warning(Log.FEED_UNKNOWN_ROUTE, workflow_id=run.workflow_id, run_id=run.run_id)
            return None
        return route.lifecycle or None


def _behind_each_other(
    runs: Sequence[ClosedRun], found: Sequence[list[OutRecord] | None]
) -> list[list[OutRecord] | None]:
    """Let a run wait too if one of the same workflow id before it waits: else its end would come before its start."""
    waiting: set[str] = set()
    ordered: list[list[OutRecord] | None] = []
    for run, records in zip(runs, found, strict=True):
        if records is None:
            waiting.add(run.workflow_id)
        ordered.append(None if run.workflow_id in waiting else records)
    return ordered


def _partition(mark: Mark) -> TopicPartition:
    return TopicPartition(mark.topic, mark.partition)


def _chunks(runs: Iterable[ClosedRun], size: int) -> Iterable[list[ClosedRun]]:
    rest = iter(runs)
    while chunk := list(itertools.islice(rest, size)):
        yield chunk


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _now_ms() -> int:
    return int(time.time() * 1000)

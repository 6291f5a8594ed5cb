"""The sweep: looks for runs of ours that have closed, and announces each end once, in order, whoever ended it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import TypeAlias

from aiokafka import TopicPartition

from bridge.feed import clock
from bridge.feed.announced import Announced
from bridge.feed.batch import Batch
from bridge.feed.closing import WAIT_FOR_START, Closing
from bridge.feed.ends import Told
from bridge.feed.knownends import KEPT_MS, Span
from bridge.feed.leaving import Leaving
from bridge.feed.lookup import Lookup
from bridge.feed.ownership import Ownership
from bridge.feed.visibility import ClosedRun
from bridge.feed.windows import Windows
from bridge.mark import Mark
from bridge.outcomes import lifecycle
from bridge.telemetry.metrics import Metrics

IDLE = timedelta(minutes=15)  # much more than visibility lags, and than the clocks differ
MOVE_ON_AFTER = timedelta(seconds=30)
AHEAD = timedelta(hours=1)  # how far the server's clock may be before ours
TRANSACTION_ROWS = 200
READS_AT_ONCE = 32

HasHandled: TypeAlias = Callable[[TopicPartition, int], bool]
HandledCommands: TypeAlias = Callable[[Collection[TopicPartition]], Awaitable[HasHandled]]
Read: TypeAlias = tuple[Told, Mark] | None


class Sweep:
    """Announces what has closed in one namespace. `has_handled` asks which commands the group has done."""

    def __init__(
        self,
        lookup: Lookup,
        windows: Windows,
        ownership: Ownership,
        announced: Announced,
        has_handled: HandledCommands,
        metrics: Metrics,
        leaving: Leaving,
    ) -> None:
        self._lookup = lookup
        self._windows = windows
        self._ownership = ownership
        self._announced = announced
        self._has_handled = has_handled
        self._metrics = metrics
        self._leaving = leaving
        self.told = 0  # ends, in the sweep that was last
        self.oldest_untold_ms: int | None = None
        self.after_window: Callable[[], None] = lambda: None

    async def sweep(self, overlap: timedelta) -> bool:
        """Announce all that has closed since the watermark less `overlap`; return whether an end still waits.

        Raises `TemporalAwayError`, `KafkaError` or `TimeoutError`; what is not announced then is found again.
        """
        return await self.sweep_between(max(0, self.watermark_ms - clock.ms(overlap)), clock.now_ms() + clock.ms(AHEAD))

    async def sweep_between(self, from_ms: int, until_ms: int) -> bool:
        """Announce what closed in a time, in ms since the epoch; return whether an end still waits. Raises likewise."""
        has_read = False
        self.told = 0
        async for closed in self._windows.between(from_ms, until_ms):
            unknown = self._unknown(closed)
            if unknown:
                await self._announced.catch_up(Span(unknown[0].closed_ms, unknown[-1].closed_ms))
                has_read, unknown = True, self._unknown(unknown)
            taken = self._leaving.taken(unknown)
            if await self._announce_all(taken):
                return True
            self._leaving.learn(closed, unknown, taken)
            await self._move_on(closed)
            self.after_window()
        if not self._announced.is_whole:
            await self._announced.catch_up(Span(max(0, self.watermark_ms - KEPT_MS), until_ms))
        elif not has_read:
            await self._announced.pass_over()
        self.oldest_untold_ms = None
        return False

    @property
    def namespace(self) -> str:
        """The namespace that is swept."""
        return self._lookup.namespace

    @property
    def watermark_ms(self) -> int:
        """The close time up to which the namespace's ends are announced, in ms since the epoch; 0 at first."""
        return self._ownership.watermark_ms(self.namespace)

    async def keep_up(self, began_ms: int) -> None:
        """Move the watermark of a namespace in which nothing ends behind a sweep that began then and left nothing.

        Else each sweep would ask for more time, and the memory that the namespaces share could forget nothing.
        """
        if began_ms - self.watermark_ms > 2 * clock.ms(IDLE):
            await self._ownership.write([], self.namespace, began_ms - clock.ms(IDLE))

    async def _move_on(self, closed: Sequence[ClosedRun]) -> None:
        """Move the watermark past what callbacks have announced, now and then: else each sweep asks for more time."""
        until_ms = self._leaving.until_ms(closed[-1].closed_ms) if closed else 0
        if until_ms - self.watermark_ms > clock.ms(MOVE_ON_AFTER):
            await self._ownership.write([], self.namespace, until_ms)

    def _unknown(self, closed: Iterable[ClosedRun]) -> list[ClosedRun]:
        return [run for run in closed if self._event_id(run) not in self._announced]

    def _event_id(self, run: ClosedRun) -> str:
        return lifecycle.event_id(self.namespace, run.workflow_id, run.run_id, run.state)

    async def _announce_all(self, runs: Sequence[ClosedRun]) -> bool:
        """Announce runs, some a transaction; while one is written, the next are read. Return whether one waits."""
        chunks = list(_chunks(runs, TRANSACTION_ROWS))
        if not chunks:
            return False
        reading = asyncio.create_task(self._read(chunks[0]))
        try:
            for chunk, following in itertools.zip_longest(chunks, chunks[1:]):
                self.oldest_untold_ms = chunk[0].closed_ms
                has_handled, found = await reading
                if following is not None:
                    reading = asyncio.create_task(self._read(following))
                if await self._announce(chunk, has_handled, found):
                    return True
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return False

    async def _read(self, runs: Sequence[ClosedRun]) -> tuple[HasHandled, list[Read]]:
        has_handled = await self._has_handled({_partition(run.mark) for run in runs if run.mark is not None})
        limit = asyncio.Semaphore(READS_AT_ONCE)

        async def read(run: ClosedRun) -> Read:
            async with limit:
                told = await self._lookup.told(run.workflow_id, run.run_id)
                mark = await self._lookup.mark_of(told.begun) if told is not None else None
                return (told, mark) if told is not None and mark is not None else None

        return has_handled, await asyncio.gather(*map(read, runs))

    async def _announce(self, runs: Sequence[ClosedRun], has_handled: HasHandled, found: Sequence[Read]) -> bool:
        """Write the ends of some runs and the watermark in one transaction; return whether one must wait."""
        batch = Batch(self.namespace, self._ownership, self._announced, self._metrics)
        waiting: dict[str, int] = {}  # by workflow id: else the end of the next run would come before the start
        for run, read in zip(runs, found, strict=True):
            watched = batch.watched(run.workflow_id, run.run_id)
            closing = self._lookup.build(*read, watched) if read is not None else None
            if read is None:  # gone, or none of ours
                batch.pass_over(self._event_id(run), run.closed_ms)
            if closing is None or run.workflow_id in waiting or batch.has(closing.ended_id):
                continue
            with_start = not self._start_is_out(closing, batch, has_handled)
            if with_start and closing.is_begun_by_command and clock.now_ms() - run.closed_ms < clock.ms(WAIT_FOR_START):
                waiting[run.workflow_id] = run.closed_ms - 1
            else:
                batch.close(closing, with_start=with_start)
        await batch.write(self._leaving.until_ms(min(waiting.values(), default=runs[-1].closed_ms)))
        self.told += len(runs) - len(waiting)
        return bool(waiting)

    def _start_is_out(self, closing: Closing, batch: Batch, has_handled: HasHandled) -> bool:
        if closing.start_came_with_another or batch.has(closing.started_id):
            return True
        # A command counts as done only after its run was announced.
        mark = closing.mark
        return closing.is_begun_by_command and has_handled(_partition(mark), mark.offset)


def _partition(mark: Mark) -> TopicPartition:
    return TopicPartition(mark.topic, mark.partition)


def _chunks(runs: Iterable[ClosedRun], size: int) -> Iterable[list[ClosedRun]]:
    rest = iter(runs)
    while chunk := list(itertools.islice(rest, size)):
        yield chunk

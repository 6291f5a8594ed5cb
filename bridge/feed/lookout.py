"""The watches, taken one by one: what no sweep finds is announced, and who waits for the end of a chain is answered."""

import asyncio
import dataclasses
from collections.abc import Iterator, Sequence

from bridge import tracecontext
from bridge.feed import watch
from bridge.feed.announced import Announced
from bridge.feed.batch import Batch
from bridge.feed.ends import Told
from bridge.feed.lookup import Lookup
from bridge.feed.ownership import Ownership
from bridge.feed.watch import Watch
from bridge.outcomes import lifecycle, replies
from bridge.telemetry import logs
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log

LOOKS_MAX = 1000  # watches a turn: half a second
LOOKS_AT_ONCE = 32
TRANSACTION_WATCHES = 100
STEPS_MAX = 50  # runs of one chain in a turn

log = logs.get(__name__)


class Lookout:
    """Looks after the watched runs of one namespace."""

    def __init__(
        self, lookup: Lookup, ownership: Ownership, announced: Announced, group: str, metrics: Metrics
    ) -> None:
        self._lookup = lookup
        self._ownership = ownership
        self._announced = announced
        self._group = group
        self._metrics = metrics
        self._turn = 0
        self._looked: dict[bytes, int] = {}  # by the watch's key: in which turn

    async def look(self) -> None:
        """Look at those that were not looked at for longest, new ones first; write what there is to write.

        Raises `TemporalAwayError`, `KafkaError` or `TimeoutError`; all of it is done again then.
        """
        if not self._announced.is_whole:
            return  # it could not be seen what is announced already
        self._turn += 1
        watches = list(self._ownership.watchlist.of_namespace(self._lookup.namespace))
        self._looked = {one.key: self._looked.get(one.key, 0) for one in watches}
        watches = sorted(watches, key=lambda one: self._looked[one.key])[:LOOKS_MAX]
        for start in range(0, len(watches), TRANSACTION_WATCHES):
            await self._look_after(watches[start : start + TRANSACTION_WATCHES])

    async def _look_after(self, watches: Sequence[Watch]) -> None:
        limit = asyncio.Semaphore(LOOKS_AT_ONCE)

        async def follow(one: Watch) -> list[Told | None]:
            async with limit:
                return await self._follow(one)

        found = await asyncio.gather(*map(follow, watches))
        batch = Batch(self._lookup.namespace, self._ownership, self._announced, self._metrics)
        for one, chain in zip(watches, found, strict=True):
            self._looked[one.key] = self._turn
            self._take(one, chain, batch)
        await batch.write(0)

    async def _follow(self, one: Watch) -> list[Told | None]:
        """Return the run and those that continue it, up to the one that is open, gone, or the last."""
        chain: list[Told | None] = []
        run_id: str | None = one.run_id
        while run_id is not None and len(chain) < STEPS_MAX:
            told = await self._lookup.told(one.workflow_id, run_id)
            chain.append(told)
            run_id = told.end.new_run_id if told is not None and told.end is not None else None
        return chain

    def _take(self, one: Watch, chain: Sequence[Told | None], batch: Batch) -> None:
        first = chain[0]
        if first is not None and one.announce and not one.started:
            for watched in self._taken_up(one, first, batch):
                self._walk(watched, chain, batch)
        else:
            self._walk(one, chain, batch)

    def _taken_up(self, asked: Watch, first: Told, batch: Batch) -> Iterator[Watch]:
        """Yield what a process asked for as the owner's own watches: one for the run, and one for the answer."""
        facts = first.begun.facts
        if asked.reply_topic is not None:
            waiting = dataclasses.replace(asked, announce=False)
            batch.add(waiting, [watch.record(waiting, self._group)])
            yield waiting
        else:
            batch.add(asked, [watch.tombstone(asked, self._group)])
        # Where it has a mark of ours and lacks our attribute alone, its start may have been told by that mark.
        mark = self._lookup.own(first.begun.mark, first.begun.started_ms) or asked.mark
        owned = dataclasses.replace(asked, mark=mark, reply_topic=None, started=True)
        closing = self._lookup.build(first, mark, owned)
        is_announced = closing is not None and batch.has(closing.ended_id)
        if first.begun.in_group or is_announced or batch.watched(facts.workflow_id, facts.run_id) is not None:
            return
        topic = self._lookup.topic_of(mark)
        if topic is not None:
            batch.add(owned, [lifecycle.started(owned.mark, facts, topic)])
        batch.add(owned, [watch.record(owned, self._group)])
        yield owned

    def _walk(self, watched: Watch, chain: Sequence[Told | None], batch: Batch) -> None:
        """Go along a chain of runs for one watch, as far as the runs have closed."""
        next_one: Watch | None = watched
        for told in chain:
            if next_one is None or (told is not None and told.end is None):
                return
            if told is None:
                run = {"workflow_id": next_one.workflow_id, "run_id": next_one.run_id}
                log.warning(Log.WATCH_LOST, **run, trace_id=tracecontext.trace_id(next_one.mark.traceparent))
                batch.add(next_one, [watch.tombstone(next_one, self._group)])
                return
            next_one = (
                self._announce(next_one, told, batch) if next_one.started else self._answer(next_one, told, batch)
            )

    def _announce(self, owned: Watch, told: Told, batch: Batch) -> Watch | None:
        """Announce the end of a run, unless the sweep did; return the watch over the run that continues it, if any."""
        closing = self._lookup.build(told, owned.mark, owned)
        if closing is None or batch.has(closing.ended_id):
            batch.add(owned, [watch.tombstone(owned, self._group)])
        else:
            batch.close(closing, with_start=False)
        next_run_id = told.end.new_run_id if told.end is not None else None
        return batch.watched(owned.workflow_id, next_run_id) if next_run_id is not None else None

    def _answer(self, waiting: Watch, told: Told, batch: Batch) -> Watch | None:
        """Answer where the chain has ended; else return the watch over the run that continues it."""
        batch.add(waiting, [watch.tombstone(waiting, self._group)])
        if told.end is None:
            return None
        if told.end.new_run_id is None:
            if (topic := self._lookup.allowed(waiting.reply_topic, waiting.mark.traceparent)) is not None:
                batch.add(waiting, [replies.done(waiting.mark, told.begun.facts, told.end, topic)])
            return None
        following = dataclasses.replace(waiting, run_id=told.end.new_run_id)
        batch.add(following, [watch.record(following, self._group)])
        return following

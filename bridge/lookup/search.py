"""Find the commands that a question means."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bridge.command import Record
from bridge.deadletter import letter as letters
from bridge.lookup import clue, question
from bridge.lookup.clue import Clue
from bridge.lookup.question import Candidate, Question
from bridge.lookup.reader import Looked
from bridge.lookup.sources import BACK, RECENT, Sources
from topics import spec

RUNS_MAX = 10


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for commands, first where it is sure to be quick; `asked` is what Temporal was asked for."""

    sources: Sources
    asked: list[Looked] = field(default_factory=list)

    async def clues(self, wanted: Question) -> list[Clue]:
        """Return what tells of the commands that are meant."""
        if wanted.place is not None and (at_place := await self._at_place(wanted)):
            return at_place
        known = await self._of_runs(wanted)
        named, waiting = await asyncio.gather(self._naming(wanted), self._waiting(wanted))
        known += [each for each in (*named, *waiting) if clue.meant(each, wanted)]
        if not known:  # last, as it is the longest way: nothing tells when it was
            known = await self._answered(wanted)
        return known

    async def _at_place(self, wanted: Question) -> list[Clue]:
        """Return the commands that the record at a place is, or tells of."""
        if wanted.place is None:
            return []
        record = await self.sources.reader.at(*wanted.place)
        if record is None:
            return []
        if record.topic in self.sources.places.routes.topics:
            nameless = Clue(id="", source="", place=wanted.place, time_ms=record.timestamp_ms, key=record.key)
            return [self.sources.read(record) or nameless]
        is_letter = record.topic.endswith(spec.DEAD_LETTER_SUFFIX)
        told = clue.of_letter(letters.read(record)) if is_letter else self.sources.of_reply(record)
        if told is not None:
            return [told]
        found: list[Clue] = []
        for named in clue.ids_named(record):
            found += await self.clues(question.ask(named, self.sources.places.routes))
        return found

    async def _of_runs(self, wanted: Question) -> list[Clue]:
        """Return the commands that the runs which Temporal finds tell of."""
        found: list[Clue] = []
        by_id: dict[tuple[str, str, str], None] = {}
        for namespace, runs in self.sources.runs.items():
            for each in wanted.ids:
                listed = await runs.marked(each)
                self.asked.append(Looked(f"Temporal, {namespace}", f"BridgeIds = {each}", found=len(listed)))
                by_id |= dict.fromkeys((namespace, *place) for place in listed)
        by_workflow = dict.fromkeys([place for each in wanted.candidates for place in await self._of_workflow(each)])
        for place in list(by_id | by_workflow)[:RUNS_MAX]:
            told = await self._in_run(*place)
            found += told if place in by_workflow else [each for each in told if clue.meant(each, wanted)]
        return found

    async def _of_workflow(self, candidate: Candidate) -> list[tuple[str, str, str]]:
        """Return the runs of a workflow id, as namespace, workflow id and run id, the latest first."""
        runs = self.sources.runs[candidate.namespace or self.sources.own_namespace]
        latest = await runs.describe(candidate.workflow_id)
        there = int(latest is not None)
        self.asked.append(Looked(f"Temporal, {runs.namespace}", f"workflow id {candidate.workflow_id}", found=there))
        if latest is None:
            return []
        # Visibility may not have the latest one yet.
        listed = [(latest.workflow_id, latest.run_id), *await runs.of_workflow(candidate.workflow_id)]
        return [(runs.namespace, *each) for each in listed]

    async def _in_run(self, namespace: str, workflow_id: str, run_id: str) -> list[Clue]:
        """Return the commands that a run tells of."""
        runs = self.sources.runs[namespace]
        run = await runs.describe(workflow_id, run_id)
        if run is None:
            return []
        told = [clue.of_run(run), *(clue.of_history(came, run) for came in (await runs.past(run)).came)]
        return [each for each in told if each is not None]

    async def _naming(self, wanted: Question) -> list[Clue]:
        """Return the commands of the newest dead letters and replies that name what is asked about."""
        needles = [name.encode() for name in wanted.names]
        places = self.sources.places
        of_letters = [clue.of_letter(letters.read(each)) for each in await self._newest(places.dead_letters, needles)]
        of_replies = [self.sources.of_reply(each) for each in await self._newest(places.replies, needles)]
        return [each for each in (*of_letters, *of_replies) if each is not None]

    async def _newest(self, topics: Iterable[str], needles: Sequence[bytes]) -> list[Record]:
        reader = self.sources.reader
        tps = [tp for topic in topics for tp in reader.all_of(topic)]
        return await reader.newest(tps, needles, lambda record: _names(record, needles), RECENT) if tps else []

    async def _waiting(self, wanted: Question) -> list[Clue]:
        """Return the commands that have arrived and that the group has not done with."""
        reader, committed = self.sources.reader, self.sources.committed
        tps = [tp for topic in self.sources.places.commands for tp in reader.all_of(topic)]
        begins, ends = await reader.spans(tps) if tps else ({}, {})
        needles = [wanted.text.encode()]
        found: list[Clue | None] = []
        for tp in tps:
            begin = max(committed.get(tp, begins[tp]), begins[tp])
            if begin < ends[tp]:
                records = await reader.between(
                    tp, begin, ends[tp], needles, lambda record: _names(record, needles), RECENT
                )
                found += [self.sources.read(record) for record in records]
        return [each for each in found if each is not None]

    async def _answered(self, wanted: Question) -> list[Clue]:
        """Return the commands with an id that were answered, whenever it was: their replies are keyed by it."""
        reader, key = self.sources.reader, wanted.text.encode()
        tps = [reader.of_key(topic, key) for topic in self.sources.places.replies]
        found = await reader.newest(tps, [key], lambda record: record.key == key, BACK)
        told = [self.sources.of_reply(record) for record in found]
        return [each for each in told if each is not None and each.id == wanted.text]


def _names(record: Record, needles: Sequence[bytes]) -> bool:
    parts = [record.key, record.value, *(value for _, value in record.headers)]
    return any(needle in part for part in parts if part for needle in needles)

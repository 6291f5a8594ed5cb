"""Gather what is told of one command: its record, its replies, its runs, what they emitted, its dead letters."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from bridge.command import Record, Skipped
from bridge.deadletter import handled
from bridge.deadletter import letter as letters
from bridge.deadletter.handled import State as Handled
from bridge.deadletter.letter import Letter, named
from bridge.intake.decode import Decoder
from bridge.lookup import clue, question
from bridge.lookup.clue import Case, Clue
from bridge.lookup.findings import Findings
from bridge.lookup.places import Places
from bridge.lookup.reader import Bound, Reader, Wanted, in_order
from bridge.lookup.runs import Runs
from bridge.routes import Replies
from topics import spec
from topics.lifecycle import State
from topics.replies import DeadLetterReason, ReplyOutcome

MIB = 1024 * 1024
AHEAD = Bound(20_000, 32 * MIB)
"""What is looked through at most of a partition behind a time at which something happened."""

NEAR = Bound(5_000, 8 * MIB)  # the same, where there are several such times
BACK = Bound(200_000, 256 * MIB)  # of a key's partition, where the command's time is not known: under a second
EARLIER_MS = 120_000  # before a signal's event: a command may have waited for its target
TIMES_MAX = 10
TIMES_APART_MS = 1000
ARRIVALS_MAX = 10


@dataclass(frozen=True, slots=True)
class Details:
    """Asks both servers about commands that are known."""

    reader: Reader
    runs: Mapping[str, Runs]
    places: Places
    decoder: Decoder
    committed: Mapping[TopicPartition, int]
    own_namespace: str

    async def of(self, case: Case) -> Findings:
        """Return everything that is told of a command, as far as it can be found."""
        found = Findings(case)
        found.replies = await self._replies(case)
        case.clues += [told for record in found.replies if (told := clue.of_reply(record, self.own_namespace))]
        await self._look_at_records(found)
        kind = str(case.first("type") or "")
        found.route = self.places.routes.for_command(kind)
        await self._look_at_runs(found)
        found.events, found.lifecycle, found.letters, later = await asyncio.gather(
            self._events(found, kind), self._lifecycle(found, kind), self._letters(found), self._second_reply(found)
        )
        found.replies = in_order([*found.replies, *later])
        self._note_what_lacks(found)
        return found

    async def _replies(self, case: Case) -> list[Record]:
        if not case.id:
            return []
        key = case.id.encode()
        is_exact = bool(case.arrivals)
        time_ms = case.time_ms

        def wanted(record: Record) -> bool:
            return record.key == key and clue.data_of(record).get("command_source") == case.source

        tps = [self.reader.of_key(topic, key) for topic in self.places.replies]
        found: list[Record] = []
        if time_ms is not None:
            begin = time_ms if is_exact else time_ms - EARLIER_MS
            for tp in tps:
                found += await self.reader.after(tp, [begin], [key], wanted, AHEAD)
        if not found and not is_exact:
            found = await self.reader.newest(tps, [key], wanted, BACK)
        return in_order(found)

    async def _look_at_records(self, found: Findings) -> None:
        case = found.case
        for arrival in case.arrivals[:ARRIVALS_MAX]:
            if arrival.place is None:
                continue
            record = await self.reader.at(*arrival.place)
            if record is None or (arrival.time_ms is not None and record.timestamp_ms != arrival.time_ms):
                found.notes.append(f"its record is not in {named(arrival.place)} any more")
                continue
            content = self.decoder.decode(record)
            told = None if isinstance(content, Skipped) else clue.of_record(content)
            if told is not None and (told.id, told.source) == (case.id, case.source):
                case.clues.append(told)
            elif isinstance(content, Skipped):
                found.notes.append(f"{named(arrival.place)} was passed over: no route of its topic has its type")

    async def _look_at_runs(self, found: Findings) -> None:
        case = found.case
        for namespace, workflow_id, run_id in case.runs[:ARRIVALS_MAX]:
            runs = self.runs.get(namespace)
            run = await runs.describe(workflow_id, run_id) if runs is not None else None
            if runs is None or run is None:
                found.notes.append(f"Temporal does not know the run {run_id} of {workflow_id} any more")
                continue
            told = clue.of_run(run)
            if told is not None and (told.id, told.source) == (case.id, case.source):
                case.clues.append(told)
            known = {each.run_id for each in found.runs}
            found.runs = [*found.runs, *(each for each in await runs.chain(run) if each.run_id not in known)]
        if found.outcome == ReplyOutcome.REJECTED and not case.began and found.runs:
            found.against, found.runs = found.runs[0], []
        workflow_id = case.first("workflow_id")
        if not found.runs and found.against is None and workflow_id is not None:
            namespace = (found.route.namespace if found.route else None) or self.own_namespace
            found.against = await self.runs[namespace].describe(workflow_id)

    async def _events(self, found: Findings, kind: str) -> list[Record]:
        case, times = found.case, await self._times(found)
        key = self._business_key(found)
        if key is None:
            return []
        of_runs = {run.run_id for run in found.runs} if case.began and found.runs else set[str]()

        def wanted(record: Record) -> bool:
            if record.key != key:
                return False
            return case.id in clue.ids_named(record) or clue.data_of(record).get("run_id") in of_runs

        tps = [self.reader.of_key(topic, key) for topic in self.places.events(found.route, kind)]
        return await self._at_times(tps, times, key, wanted)

    async def _times(self, found: Findings) -> list[int]:
        """Return when something was emitted: an event has the time at which its activity was scheduled first."""
        begin = found.case.time_ms
        times = [] if begin is None else [begin]
        for run in found.runs:
            past = await self.runs[run.namespace].past(run)
            times += [time for time in past.scheduled_ms if begin is None or time >= begin]
        return _apart(times)

    def _business_key(self, found: Findings) -> bytes | None:
        workflow_id, route = found.case.first("workflow_id"), found.route
        made_of = question.business_id(route, workflow_id) if route is not None and workflow_id is not None else None
        if made_of is not None:
            return made_of.encode()
        key: bytes | None = found.case.first("key")
        return key

    async def _lifecycle(self, found: Findings, kind: str) -> list[Record]:
        times: list[int] = [] if found.case.time_ms is None else [found.case.time_ms]
        for run in found.runs:
            # A start has the time of the command that began the run, which may be another one.
            begun = run.mark.recorded_ms if run.mark is not None else 0
            times += [time for time in (begun, run.started_ms, run.closed_ms) if time]
        workflow_id = found.case.first("workflow_id")
        if workflow_id is None:
            return []
        key, runs = workflow_id.encode(), {run.run_id for run in found.runs} | {run for *_, run in found.case.runs}

        def wanted(record: Record) -> bool:
            return record.key == key and clue.data_of(record).get("run_id") in runs

        tps = [self.reader.of_key(topic, key) for topic in self.places.lifecycle(found.route, kind)]
        return await self._at_times(tps, _apart(times), key, wanted)

    async def _second_reply(self, found: Findings) -> list[Record]:
        """Return the reply that tells how the runs ended: it has the time of the last one's close."""
        case, closed_ms = found.case, max((run.closed_ms for run in found.runs), default=0)
        if not case.asks_done or not closed_ms:
            return []
        key = case.id.encode()

        def wanted(record: Record) -> bool:
            return record.key == key and clue.data_of(record).get("command_source") == case.source

        return await self._at_times(
            [self.reader.of_key(topic, key) for topic in self.places.replies], [closed_ms], key, wanted
        )

    async def _at_times(
        self, tps: Sequence[TopicPartition], times: Sequence[int], key: bytes, wanted: Wanted
    ) -> list[Record]:
        bound = AHEAD if len(times) == 1 else NEAR
        return in_order([record for tp in tps for record in await self.reader.after(tp, times, [key], wanted, bound)])

    async def _letters(self, found: Findings) -> list[tuple[Letter, Record, Handled]]:
        answer = found.answer
        if answer.get("outcome") in {ReplyOutcome.ACCEPTED, ReplyOutcome.DUPLICATE} and len(found.replies) < 2:
            return []
        arrivals = [each for each in found.case.arrivals if each.place is not None and each.time_ms is not None]
        records: list[Record] = []
        for arrival in arrivals[:ARRIVALS_MAX]:
            records += await self._letters_of(arrival)
        told = [(letters.read(record), record) for record in in_order(records)]
        marks = await self._marks([letter for letter, _ in told])
        return [(letter, record, marks.get(letter.identity, Handled.OPEN)) for letter, record in told]

    async def _letters_of(self, arrival: Clue) -> list[Record]:
        if arrival.place is None or arrival.time_ms is None:
            return []
        topic = arrival.place[0] + spec.DEAD_LETTER_SUFFIX
        if topic not in self.places.there:
            return []
        tps = self.reader.all_of(topic) if arrival.key is None else [self.reader.of_key(topic, arrival.key)]
        needles = [str(arrival.place[2]).encode()]

        def wanted(record: Record) -> bool:
            origin = letters.read(record).origin
            return origin is not None and origin.place == arrival.place

        found: list[Record] = []
        for tp in tps:
            found += await self.reader.after(tp, [arrival.time_ms], needles, wanted, AHEAD)
        return found

    async def _marks(self, told: Sequence[Letter]) -> dict[str, Handled]:
        """Return what was done about dead letters, as far as a mark is near: marks are written behind their letters."""
        if not told or self.places.handled not in self.places.there:
            return {}
        wanted = {letter.identity for letter in told}
        needles = [each.encode() for each in wanted]
        (tp,) = self.reader.all_of(self.places.handled)
        since = min(letter.timestamp_ms for letter in told)
        records = await self.reader.after(tp, [since], needles, lambda record: _text(record.key) in wanted, AHEAD)
        marks: dict[str, Handled] = {}
        for record in records:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # what is none of ours marks nothing
                marks[_text(record.key)] = handled.state_of(record)
        return marks

    def _note_what_lacks(self, found: Findings) -> None:
        case, notes = found.case, found.notes
        last = case.arrivals[-1] if case.arrivals else None
        if last is not None and last.place is not None:
            found.committed = self.committed.get(TopicPartition(*last.place[:2]))
            if not found.replies and not case.began:
                notes.append(_progress(last.place, found.committed))
        if not found.replies and case.id:
            silent = found.route is not None and found.route.replies is not Replies.ALL
            notes.append(
                f'no reply was found: its route has replies = "{found.route.replies.value}"'
                if silent and found.route is not None
                else "no reply was found where it would be"
            )
        if found.answer.get("reason") in set(DeadLetterReason) and not found.letters:
            notes.append("its dead letter was not found where it would be")
        told = {clue.data_of(record).get("state") for record in found.lifecycle}
        for run in found.runs[:1]:
            if case.began and found.route is not None and found.route.lifecycle:
                if State.STARTED not in told:
                    notes.append("workflow.started of its run was not found where it would be")
                if not run.is_open and run.state not in told:
                    notes.append(f"workflow.{run.state} of its run was not found where it would be")


def _apart(times: Collection[int]) -> list[int]:
    """Return times that are so far apart that it is worth a look at each, the first ones and the last."""
    found: list[int] = []
    for time_ms in sorted(times):
        if not found or time_ms - found[-1] > TIMES_APART_MS:
            found.append(time_ms)
    half = TIMES_MAX // 2
    return found if len(found) <= TIMES_MAX else [*found[:half], *found[-half:]]


def _progress(place: question.Place, committed: int | None) -> str:
    where = f"{place[0]}/{place[1]}"
    if committed is None:
        return f"the group has not done anything in {where} yet: is `bridge run` up?"
    if committed > place[2]:
        return f"the group is done with it: it has come to {committed} in {where}"
    return f"it is not done yet: the group has come to {committed} in {where}"


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="backslashreplace")

"""Gather what is told of one command: its replies and records, dead letters, runs, and what followed from them."""

import asyncio
from collections.abc import Iterator

from aiokafka import TopicPartition

from bridge.command import Record
from bridge.deadletter.letter import named
from bridge.lookup import clue, emitted, reached, returned
from bridge.lookup.case import Case
from bridge.lookup.findings import Findings
from bridge.lookup.question import Place
from bridge.lookup.reader import in_order
from bridge.lookup.sources import AHEAD, BACK, Sources
from bridge.routes import Replies
from topics.lifecycle import State
from topics.replies import DeadLetterReason

EARLIER_MS = 120_000  # before a signal's event: a command may have waited for its target
ARRIVALS_MAX = 10


async def gather(sources: Sources, case: Case) -> Findings:
    """Return everything that is told of a command, as far as it can be found."""
    found = Findings(case)
    found.replies = await _replies(sources, case)
    case.clues += [told for record in found.replies if (told := sources.of_reply(record))]
    found.notes += await _look_at_records(sources, case)
    if not found.is_in_effect or len(found.replies) > 1:
        found.letters = await returned.letters(sources, case)
    found.route = sources.places.routes.for_command(case.kind)
    await reached.look(sources, found)
    found.events, found.lifecycle, later = await asyncio.gather(
        emitted.events(sources, found), emitted.lifecycle(sources, found), emitted.second_reply(sources, found)
    )
    found.replies = in_order([*found.replies, *later])
    found.notes += _what_lacks(sources, found)
    return found


async def _replies(sources: Sources, case: Case) -> list[Record]:
    if not case.id:
        return []
    reader, key = sources.reader, case.id.encode()
    is_exact = bool(case.arrivals)
    tps = [reader.of_key(topic, key) for topic in sources.places.replies]
    found: list[Record] = []
    if case.time_ms is not None:
        begin = case.time_ms if is_exact else case.time_ms - EARLIER_MS
        for tp in tps:
            found += await reader.after(tp, [begin], [key], case.is_answered_by, AHEAD)
    if not found and not is_exact:
        found = await reader.newest(tps, [key], case.is_answered_by, BACK)
    return in_order(found)


async def _look_at_records(sources: Sources, case: Case) -> list[str]:
    """Note what the command's own records tell; return what is wrong with them, in words."""
    notes = []
    for arrival in case.arrivals[:ARRIVALS_MAX]:
        if arrival.place is None:
            continue
        record = await sources.reader.at(*arrival.place)
        if record is None or (arrival.time_ms is not None and record.timestamp_ms != arrival.time_ms):
            notes.append(f"its record is not in {named(arrival.place)} any more")
        elif (told := sources.read_for(case, record)) is not None:
            case.clues.append(told)
        elif sources.is_passed_over(record):
            notes.append(f"{named(arrival.place)} was passed over: no route of its topic has its type")
    return notes


def _what_lacks(sources: Sources, found: Findings) -> Iterator[str]:
    """Yield in words what was not found where it would be."""
    case, route = found.case, found.route
    last = case.arrivals[-1].place if case.arrivals else None
    if last is not None and not found.replies and not found.is_in_effect:
        yield _progress(last, sources.committed.get(TopicPartition(*last[:2])))
    if not found.replies and case.id:
        is_silent = route is not None and route.replies is not Replies.ALL
        why = (
            f': its route has replies = "{route.replies.value}"'
            if route is not None and is_silent
            else " where it would be"
        )
        yield f"no reply was found{why}"
    if found.answer.get("reason") in set(DeadLetterReason) and not found.letters:
        yield "its dead letter was not found where it would be"
    if not (case.began and found.runs and route is not None and route.lifecycle):
        return
    told = {clue.data_of(record).get("state") for record in found.lifecycle}
    run = found.runs[0]
    for state in [State.STARTED.value, *([] if run.is_open else [run.state])]:
        if state not in told:
            yield f"workflow.{state} of its run was not found where it would be"


def _progress(place: Place, committed: int | None) -> str:
    where = f"{place[0]}/{place[1]}"
    if committed is None:
        return f"the group has not done anything in {where} yet: is `bridge run` up?"
    if committed > place[2]:
        return f"the group is done with it: it has come to {committed} in {where}"
    return f"it is not done yet: the group has come to {committed} in {where}"

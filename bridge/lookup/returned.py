"""A command's dead letters, and where replays put its record back."""

import contextlib

from bridge.command import REPLAYS_HEADER, Record
from bridge.deadletter import handled
from bridge.deadletter import letter as letters_
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter
from bridge.lookup.case import Case
from bridge.lookup.clue import Clue
from bridge.lookup.question import Place
from bridge.lookup.reader import in_order
from bridge.lookup.sources import AHEAD, BACK, NEAR, Sources
from topics import spec

ARRIVALS_MAX = 10
CLOCKS_APART_MS = 5_000  # of who replays and of the broker


async def letters(sources: Sources, case: Case) -> list[tuple[Letter, Record, State]]:
    """Return the dead letters of where a command arrived, and of where replays put it back, which it notes."""
    told: list[tuple[Letter, Record, State]] = []
    seen: set[Place] = set()
    while len(seen) < ARRIVALS_MAX:
        following = next((each for each in case.arrivals if each.place not in seen), None)
        if following is None or following.place is None:
            break
        seen.add(following.place)
        for record in in_order(await _of(sources, following)):
            letter = letters_.read(record)
            state, at_ms = await _handled(sources, letter)
            told.append((letter, record, state))
            if state is State.REPLAYED:
                case.clues += await _put_back(sources, case, letter, at_ms)
    return told


async def _of(sources: Sources, arrival: Clue) -> list[Record]:
    """Return the dead letters of one record."""
    place, reader = arrival.place, sources.reader
    topic = place[0] + spec.DEAD_LETTER_SUFFIX if place is not None else ""
    if place is None or arrival.time_ms is None or topic not in sources.places.there:
        return []

    def wanted(record: Record) -> bool:
        origin = letters_.read(record).origin
        return origin is not None and origin.place == place

    tps = reader.all_of(topic) if arrival.key is None else [reader.of_key(topic, arrival.key)]
    needles = [str(place[2]).encode()]
    return [record for tp in tps for record in await reader.after(tp, [arrival.time_ms], needles, wanted, AHEAD)]


async def _handled(sources: Sources, letter: Letter) -> tuple[State, int]:
    """Return what was done about a dead letter, and about when (ms), as far as its mark is among the newest."""
    key, state, at_ms = letter.identity.encode(errors="backslashreplace"), State.OPEN, 0
    tps = sources.reader.all_of(sources.places.handled)
    for record in await sources.reader.newest(tps, [key], lambda record: record.key == key, BACK) if tps else ():
        with contextlib.suppress(ValueError, KeyError, TypeError):  # what is none of ours marks nothing
            state, at_ms = handled.state_of(record), record.timestamp_ms - CLOCKS_APART_MS
    return state, at_ms


async def _put_back(sources: Sources, case: Case, letter: Letter, at_ms: int) -> list[Clue]:
    """Return where a replay put a dead letter's record: to its partition, or another one if that is not there."""
    if letter.origin is None or not case.id:
        return []
    all_of_it = sources.reader.all_of(letter.origin.topic)
    tps = all_of_it[letter.origin.partition :][:1] or all_of_it
    needles = [REPLAYS_HEADER.encode()]
    records = [
        record
        for tp in tps
        for record in await sources.reader.after(
            tp, [at_ms], needles, lambda record: record.header(REPLAYS_HEADER) is not None, NEAR
        )
    ]
    known = {each.place for each in case.arrivals}
    told = [sources.read_for(case, record) for record in records]
    return [each for each in told if each is not None and each.place not in known]

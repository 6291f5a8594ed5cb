"""The laws as pure functions: each returns what breaks it, nothing where it is kept."""

import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from itertools import accumulate, pairwise
from types import MappingProxyType

from tests.faults.evidence import Evidence, Progress
from tests.faults.ledger import Entry, Place

REJECTED = "command.rejected"
STARTED = "workflow.started"
COMMANDS_MIN = 1000
LOOKS_MIN = 20  # each second or so
IN_FLIGHT_MAX = 256
RESIDENT_BYTES_MAX = 400 * 1024 * 1024
DESCRIPTORS_MAX = 200
BACK_TO, DESCRIPTORS_MORE = 1.1, 5  # who joins has fewer connections at first
SETTLING_SECONDS = 12.0  # the session time-out of the scenes, and 10 s


def nothing_lost(found: Evidence) -> list[str]:
    """L1: every acknowledged command has an effect or a dead letter, and its answer, which is no refusal.

    A refusal is an outcome, too, but none that these commands may have: each of them can be carried out.
    """
    effects = {effect.cid for effect in found.effects}
    letters = {letter.place for letter in found.letters}
    answers = {event.cid for event in found.answers}
    refused = {event.cid for event in found.answers if event.type == REJECTED}
    lost = [
        f"{entry.cid} at {entry.place} has no outcome"
        for entry in _wanted(found)
        if entry.cid not in effects and entry.place not in letters
    ]
    sound = [entry for entry in _wanted(found) if entry.kind == "sound"]
    lost += [f"{one.cid} at {one.place} has no answer" for one in sound if one.cid not in answers]
    return lost + [
        f"{one.cid} at {one.place} is refused" for one in sound if one.cid in refused and one.place not in letters
    ]


def nothing_doubled(found: Evidence) -> list[str]:
    """L2: one start and one signal a command over all runs, and none beside a dead letter."""
    counts = Counter((effect.cid, effect.what) for effect in found.effects)
    broken = [f"{cid} {what} {count} times" for (cid, what), count in counts.items() if count > 1]
    done = {effect.cid for effect in found.effects}
    letters = {letter.place for letter in found.letters}
    broken += [
        f"{one.cid} is done and dead-lettered" for one in found.entries if one.cid in done and one.place in letters
    ]
    forbidden = {entry.cid: entry.kind for entry in found.entries if entry.kind != "sound"}
    return broken + [f"{cid} is {forbidden[cid]} and was carried out" for cid in sorted(done & forbidden.keys())]


def in_order(found: Evidence) -> list[str]:
    """L3: of a key, signals and updates stand in the order in which they were sent, none before the start."""
    entries = {entry.cid: entry for entry in found.entries}
    signals: dict[tuple[str, str], list[int]] = defaultdict(list)
    started: set[str] = set()
    broken = []
    for effect in found.effects:
        entry = entries.get(effect.cid)
        if effect.what == "started":
            started.add(effect.workflow_id)
        elif effect.workflow_id not in started:
            broken.append(f"{effect.workflow_id} is {effect.what} by {effect.cid} before it is started")
        if effect.what in {"signalled", "updated"} and entry is not None:
            signals[entry.topic, entry.key].append(entry.sequence)
    return broken + [
        f"{key} of {topic}: number {later} stands behind {earlier}"
        for (topic, key), numbers in signals.items()
        for earlier, later in pairwise(numbers)
        if later <= earlier
    ]


def every_end_announced_once(found: Evidence) -> list[str]:
    """L4: each closed run has one start and one end by event id, and the copies of an event are the same bytes."""
    ends, starts, contents = defaultdict(set), set(), defaultdict(set)
    for event in found.lifecycle:
        if event.type == STARTED:
            starts.add(event.run_id)
        else:
            ends[event.run_id].add(event.id)
    for event in (*found.lifecycle, *found.answers):
        contents[event.id].add(event.content)
    closed = [run for run in found.runs if run.closed]
    broken = [f"{len(ends[run.run_id])} ends of {run.workflow_id}" for run in closed if len(ends[run.run_id]) != 1]
    broken += [f"no start of {run.workflow_id} is announced" for run in found.runs if run.run_id not in starts]
    return broken + [
        f"{len(copies)} different copies of {each}" for each, copies in contents.items() if len(copies) > 1
    ]


def committed_behind_outcomes(found: Evidence) -> list[str]:
    """L5: no offset is committed before all records under it have their outcome; at the end all are."""
    broken = []
    for partition, outcomes in _outcomes(found).items():
        latest = list(accumulate((at_ms for _, at_ms, _ in outcomes), max))  # of all records up to here
        offsets = [offset for offset, _, _ in outcomes]
        for sample in found.samples:
            committed = sample.committed.get(partition, 0)
            count = bisect.bisect_left(offsets, committed)
            if count and latest[count - 1] > sample.at_ms:
                early = [one for one in outcomes[:count] if one[1] > sample.at_ms]
                broken += [
                    f"{partition} was committed to {committed} before {cid} at {place}" for place, _, cid in early
                ]
    for earlier, later in pairwise(found.samples):
        fallen = [one for one, offset in later.committed.items() if offset < earlier.committed.get(one, 0)]
        broken += [f"the commit of {one} fell to {later.committed[one]}" for one in fallen]
    return broken + [
        f"{partition} is committed to {found.committed.get(partition)}, its end is {end}"
        for partition, end in found.ends.items()
        if end > 0 and found.committed.get(partition) != end
    ]


def never_stuck(found: Evidence, stall_max_seconds: float) -> list[str]:
    """L6: while commands wait for their answers, one comes within the time."""
    seconds = longest_stall(found)
    return (
        [f"no answer for {seconds:.1f} s, {stall_max_seconds:g} s are allowed"] if seconds > stall_max_seconds else []
    )


def recovered(found: Evidence, healed_at_ms: float | None) -> list[str]:
    """L6: after the fault nothing waits within twice the time of the work, a session time-out and 10 s.

    The work is what waited then, and what was sent on top of it until nothing waited.
    """
    if healed_at_ms is None:
        return []
    after = [one for one in found.progress if one.at_ms >= healed_at_ms]
    if not after:
        return ["nothing was looked at after the fault"]
    last = _first_idle(found, healed_at_ms) or after[-1]
    allowed = 2 * (last.sent - after[0].answered) / pace(found) + SETTLING_SECONDS
    seconds = recovery(found, healed_at_ms)
    return [f"commands wait for {seconds:.1f} s after the fault, {allowed:.1f} s are allowed"] * (seconds > allowed)


def bounded(found: Evidence) -> list[str]:
    """L7: memory, descriptors and commands in flight stay under their caps; descriptors come back to what they were."""
    caps: Mapping[str, float] = {
        "resident_bytes": RESIDENT_BYTES_MAX,
        "descriptors": DESCRIPTORS_MAX,
        "in_flight": IN_FLIGHT_MAX,
    }
    return [
        f"{one.process}: {name} {getattr(one, name)} over {cap:g}"
        for one in found.usage
        for name, cap in caps.items()
        if getattr(one, name) > cap
    ] + _kept_open(found)


def counts(found: Evidence, hits: Mapping[str, float]) -> list[str]:
    """L8: enough commands, and the fault provably hit: each figure of `hits` is above 0. Else the run is void."""
    acknowledged = sum(entry.place is not None for entry in found.entries)
    few = [f"void: {acknowledged} commands, {COMMANDS_MIN} are needed"] if acknowledged < COMMANDS_MIN else []
    return few + [f"void: {what} is {figure:g}" for what, figure in hits.items() if figure <= 0]


LAWS: Mapping[str, Callable[[Evidence], list[str]]] = MappingProxyType(
    {
        "L1 nothing lost": nothing_lost,
        "L2 nothing doubled": nothing_doubled,
        "L3 order": in_order,
        "L4 events": every_end_announced_once,
        "L5 watermark": committed_behind_outcomes,
        "L7 bounded": bounded,
    }
)


def broken(
    found: Evidence, hits: Mapping[str, float], stall_max_seconds: float, healed_at_ms: float | None = None
) -> dict[str, list[str]]:
    """Return what breaks which law."""
    found_broken = {name: law(found) for name, law in LAWS.items()}
    found_broken["L6 liveness"] = never_stuck(found, stall_max_seconds) + recovered(found, healed_at_ms)
    found_broken["L8 the run counts"] = counts(found, hits)
    return {name: breaches for name, breaches in found_broken.items() if breaches}


def longest_stall(found: Evidence) -> float:
    """Return the longest time in seconds in which commands waited and no answer came."""
    longest, since = 0.0, None
    for earlier, later in pairwise(found.progress):
        if earlier.answered < earlier.sent and later.answered == earlier.answered:
            since = earlier.at_ms if since is None else since
            longest = max(longest, (later.at_ms - since) / 1000)
        else:
            since = None
    return longest


def recovery(found: Evidence, healed_at_ms: float) -> float:
    """Return the seconds from the end of a fault until nothing waited; infinite if that never was."""
    idle = _first_idle(found, healed_at_ms)
    return float("inf") if idle is None else (idle.at_ms - healed_at_ms) / 1000


def pace(found: Evidence) -> float:
    """Return the answers a second of the times in which commands waited and some were answered; infinite for none."""
    busy = [
        (later.answered - earlier.answered, (later.at_ms - earlier.at_ms) / 1000)
        for earlier, later in pairwise(found.progress)
        if earlier.answered < earlier.sent and later.answered > earlier.answered
    ]
    seconds = sum(took for _, took in busy)
    return sum(count for count, _ in busy) / seconds if seconds else float("inf")


def redelivered(found: Evidence) -> int:
    """Return how many answers there are beyond one a record: each is a record that was worked on again."""
    return len(found.answers) - len({event.cid for event in found.answers})


def copies(found: Evidence) -> int:
    """Return how many records there are beyond one an event; where no process ended, there should be none."""
    events = (*found.lifecycle, *found.answers)
    return len(events) - len({event.id for event in events})


def p99_ms(found: Evidence, entries: Collection[Entry]) -> float:
    """Return the 99th percentile of the time from a record's append to its command's effect."""
    effects = {effect.cid: effect.at_ms for effect in found.effects}
    spans = sorted(effects[entry.cid] - entry.at_ms for entry in entries if entry.cid in effects)
    return spans[len(spans) * 99 // 100]


def _first_idle(found: Evidence, since_ms: float) -> Progress | None:
    """Return the first look since then at which nothing waited."""
    return next((one for one in found.progress if one.at_ms >= since_ms and one.answered >= one.sent), None)


def _kept_open(found: Evidence) -> list[str]:
    """Return who ends with more descriptors than it ever had in the first half of its looks, 10 % and a few left.

    Who was looked at a few times may have been about to start, with next to none.
    """
    looks: dict[str, list[int]] = defaultdict(list)
    for one in found.usage:
        looks[one.process].append(one.descriptors)
    early = {name: max(seen[: len(seen) // 2]) for name, seen in looks.items() if len(seen) >= LOOKS_MIN}
    return [
        f"{name}: {looks[name][-1]} descriptors are left, there were {early[name]}"
        for name in early
        if looks[name][-1] > BACK_TO * early[name] + DESCRIPTORS_MORE
    ]


def _wanted(found: Evidence) -> list[Entry]:
    return [entry for entry in found.entries if entry.place is not None and entry.kind != "aborted"]


def _outcomes(found: Evidence) -> Mapping[tuple[str, int], list[tuple[int, float, str]]]:
    """Return offset, time of the outcome and command of each partition's records, in order; none of refused ones."""
    since = _outcome_times(found)
    refused = {event.cid for event in found.answers if event.type == REJECTED}
    places: dict[tuple[str, int], list[tuple[int, float, str]]] = defaultdict(list)
    for entry in _wanted(found):
        if entry.place is not None and not (entry.cid in refused and entry.place not in since):
            topic, partition, offset = entry.place
            places[topic, partition].append((offset, since.get(entry.place, float("inf")), entry.cid))
    for outcomes in places.values():
        outcomes.sort()
    return places


def _outcome_times(found: Evidence) -> dict[Place, float]:
    places = {entry.cid: entry.place for entry in found.entries if entry.place is not None}
    since: dict[Place, float] = {}
    for place, at_ms in (
        *((places.get(effect.cid), effect.at_ms) for effect in found.effects),
        *((letter.place, letter.at_ms) for letter in found.letters),
    ):
        if place is not None:
            since[place] = min(at_ms, since.get(place, at_ms))
    return since

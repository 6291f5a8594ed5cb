"""The laws of the lifecycle feed and the replies, held against an evidence; pure."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from tests.acceptance.contract import event_id
from tests.acceptance.journal import Record
from tests.acceptance.producer import Sent
from tests.lifecycle.evidence import STARTED, Evidence, Expected
from tests.lifecycle.truth import Run

ANSWERS = ("accepted", "duplicate", "rejected")
DONE = "done"
ASKS = ("replywhen", DONE)
BEGINS = (".begin", ".brief", ".leave", ".late")
Broken: TypeAlias = dict[str, list[str]]


def broken(found: Evidence) -> Broken:
    """Return what is wrong, by law; empty where all hold."""
    expected = found.expected()
    events = found.events()
    told = {
        "missing": _missing(expected, events),
        "false": [f"{record.type} {record.value!r}" for record in events if record.id not in expected],
        "content": _differences(expected, events),
        "copies": _copies(found.records),
        "once": _more_than_once(found.records, found.once),
        "order": _disorder(expected, events),
        "replies": _replies(found),
    }
    return {law: problems for law, problems in told.items() if problems}


def _missing(expected: Mapping[str, Expected], events: Iterable[Record]) -> list[str]:
    there = {record.id for record in events}
    return [one.told for name, one in expected.items() if name not in there]


def _differences(expected: Mapping[str, Expected], events: Iterable[Record]) -> list[str]:
    first = {record.id: record for record in reversed(list(events))}
    return [line for name, one in expected.items() if name in first for line in one.differences(first[name])]


def _copies(records: Iterable[Record]) -> list[str]:
    """Return the records that are not, byte by byte, the first one with their id."""
    first: dict[str | None, Record] = {}
    return [
        f"{record.type} {record.id}: {_content(record)} is not {_content(first[record.id])}"
        for record in records
        if _content(first.setdefault(record.id, record)) != _content(record)
    ]


def _content(record: Record) -> tuple[Any, ...]:
    return record.topic, record.partition, record.key, record.timestamp_ms, record.value, record.headers


def _more_than_once(records: Iterable[Record], once: Collection[str]) -> list[str]:
    counts = Counter(record.id for record in records)
    return [f"{name}: {counts[name]} times" for name in once if counts[name] != 1]


def _disorder(expected: Mapping[str, Expected], events: Iterable[Record]) -> list[str]:
    """Return where a workflow id's events, each taken at its first copy, are not in the order of what happened."""
    by_workflow: dict[str, dict[str, Expected]] = defaultdict(dict)
    for record in events:
        if one := expected.get(str(record.id)):
            by_workflow[one.run.workflow_id].setdefault(one.id, one)
    return [line for found in by_workflow.values() for line in _disorder_of_one(list(found.values()))]


def _disorder_of_one(told: Sequence[Expected]) -> list[str]:
    problems = [] if told[0].state == STARTED else [f"{told[0].told} comes first"]
    problems += [
        f"{after.told} ({after.server_ms}) comes behind {before.told} ({before.server_ms})"
        for before, after in itertools.pairwise(told)
        if after.server_ms < before.server_ms
    ]
    ended: set[str] = set()
    for one in told:
        if one.state == STARTED and one.run.run_id in ended:
            problems.append(f"{one.told} comes behind its end")
        if one.state != STARTED:
            ended.add(one.run.run_id)
    return problems


def _replies(found: Evidence) -> list[str]:
    """Return the commands that have not exactly one answer, and one more where they asked for a word at the end."""
    by_place: dict[tuple[str, int, int], dict[str | None, Record]] = defaultdict(dict)
    for record in found.replies():
        place = (record.data["topic"], record.data["partition"], record.data["offset"])
        by_place[place].setdefault(record.id, record)
    last = {run.workflow_id: run for run in sorted(found.runs, key=lambda run: (run.started_ms, run.closed_ms))}
    starts = Counter(sent.command.workflow_id for sent in found.sent if sent.command.type.endswith(BEGINS))
    return [
        line
        for sent in found.sent
        for line in _replies_of_one(
            sent,
            list(by_place[sent.place].values()),
            last.get(sent.command.workflow_id),
            # What comes again is answered with either where it began no run, or a newer start has begun one since.
            either=not sent.command.type.endswith(BEGINS) or starts[sent.command.workflow_id] > 1,
        )
    ]


def _replies_of_one(sent: Sent, replies: Sequence[Record], last: Run | None, *, either: bool) -> list[str]:
    answers = [record for record in replies if record.data["outcome"] in ANSWERS]
    outcomes = sorted(record.data["outcome"] for record in answers)
    sound = len(answers) == 1 or (either and outcomes == ["accepted", "duplicate"])
    problems = [] if sound else [f"{sent.id}: answered {outcomes}"]
    for record in replies:
        outcome = record.data["outcome"]
        wanted = (f"command.{outcome}", event_id("reply", sent.source, sent.id, outcome, *sent.place))
        if (record.type, record.id) != wanted:
            problems.append(f"{sent.id}: {(record.type, record.id)} is not {wanted}")
    ends = [_end_told(record) for record in replies if record.data["outcome"] == DONE]
    asked = ASKS in sent.command.extensions.items() and {"accepted", "duplicate"} & set(outcomes)
    expected = [(last.run_id, last.state, last.failure, last.result)] if asked and last is not None else []
    return problems + ([] if ends == expected else [f"{sent.id}: told of the end {ends}, not {expected}"])


def _end_told(record: Record) -> tuple[Any, ...]:
    return tuple(record.data.get(name) for name in ("run_id", "state", "failure", "result"))

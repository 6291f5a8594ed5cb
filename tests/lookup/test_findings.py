"""What is told of a command from what was found of it, without servers."""

import json
from typing import Any

import pytest

from bridge.command import Record
from bridge.lookup import case, clue, findings, links
from bridge.lookup.case import Case
from bridge.lookup.clue import Clue
from bridge.lookup.findings import Findings

TIME = "2026-11-22T10:00:00.000Z"
TIME_MS = 1795341600000


def reply(outcome: str, offset: int, **more: Any) -> Record:
    data = {
        "command_id": "c-1",
        "command_source": "/shop",
        "command_type": "invoice.process",
        "topic": "invoice.process",
        "partition": 0,
        "offset": offset,
        "time": TIME,
        "outcome": outcome,
        "workflow_id": "invoice-I-1",
        "run_id": "r-1",
        "reason": None,
        "detail": None,
    }
    return Record("bridge.replies", 0, offset, TIME_MS, b"c-1", json.dumps(data | more).encode(), ())


def found(*replies: Record) -> Findings:
    told = Findings(Case("c-1", "/shop"))
    told.replies = replies
    told.case.clues += [each for record in replies if (each := clue.of_reply(record, "default")) is not None]
    return told


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["accepted"], "accepted"),
        (["accepted", "duplicate"], "accepted"),
        (["rejected", "accepted"], "accepted"),
        (["rejected", "duplicate"], "duplicate"),
        (["rejected"], "rejected"),
        (["accepted", "done"], "accepted"),
    ],
)
def test_the_best_answer_counts_as_no_command_has_two_effects(outcomes: list[str], expected: str) -> None:
    replies = [reply(outcome, number) for number, outcome in enumerate(outcomes)]
    assert found(*replies).outcome == expected


def test_a_reason_is_told_of_a_rejection_alone() -> None:
    rejected = reply("rejected", 1, reason="target_missing")
    assert found(rejected).reason == "target_missing"
    assert found(rejected, reply("accepted", 2)).reason is None


def test_a_command_arrived_where_its_first_record_lies() -> None:
    late = reply("duplicate", 7, time="2026-11-22T11:00:00.000Z")
    told = findings.account("c-1", found(late, reply("accepted", 3)), (), {})
    assert (told["command"]["offset"], told["command"]["time"]) == (3, TIME)
    assert [each["place"] for each in told["arrivals"]] == ["invoice.process/0/3", "invoice.process/0/7"]


def test_nothing_is_decided_of_a_command_of_which_nothing_is_told() -> None:
    told = findings.account("c-1", Findings(Case("c-1", "/shop")), (), {})
    assert (told["outcome"], told["workflow"]["state"], told["command"]["topic"]) == (None, None, None)


def test_commands_of_two_sources_with_one_id_are_two() -> None:
    clues = [Clue(id="c-1", source=source, time_ms=time) for source, time in (("/b", 2), ("/a", 1), ("/b", 3))]
    assert [(each.source, each.time_ms) for each in case.cases(clues)] == [("/a", 1), ("/b", 2)]


def test_commands_of_one_millisecond_are_told_in_the_order_of_their_partition() -> None:
    clues = [
        Clue(id=each, source="/a", time_ms=1, place=("order.commands", 0, offset))
        for each, offset in (("a", 11), ("c", 9), ("b", 10))
    ]
    assert [each.id for each in case.cases(clues)] == ["c", "b", "a"]


def test_a_command_of_which_only_its_run_told_is_put_where_its_reply_says() -> None:
    took = Case("c-1", "/a", [Clue(id="c-1", source="/a", time_ms=30)])
    later = Case("c-2", "/a", [Clue(id="c-2", source="/a", time_ms=20, place=("order.commands", 0, 1))])
    assert took.order > later.order
    took.clues.append(Clue(id="c-1", source="/a", time_ms=10, place=("order.commands", 0, 0)))
    assert took.order < later.order


def test_what_is_no_reply_tells_nothing() -> None:
    assert clue.of_reply(Record("bridge.replies", 0, 0, TIME_MS, b"k", b'{"command_id": 1}', ()), "default") is None
    assert clue.of_reply(Record("bridge.replies", 0, 0, TIME_MS, b"k", b"\xff", ()), "default") is None


def test_a_link_to_temporal_holds_whatever_a_workflow_id_has() -> None:
    link = links.run("http://ui/", "default", "invoice-a/b?c", "r-1")
    assert link == "http://ui/namespaces/default/workflows/invoice-a%2Fb%3Fc/r-1/history"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("localhost:7233", "http://localhost:8233"),
        ("prod.a2dd6.tmprl.cloud:7233", "https://cloud.temporal.io"),
        ("temporal.internal:7233", None),
    ],
)
def test_the_ui_is_known_where_temporal_is_this_machines_or_the_clouds(address: str, expected: str | None) -> None:
    assert links.ui_of(address) == expected

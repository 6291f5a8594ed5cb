"""The laws can fail: each is shown an evidence that breaks it alone."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.acceptance.contract import event_id, time_text
from tests.acceptance.journal import Record
from tests.acceptance.producer import Command, Sent
from tests.lifecycle import verdict
from tests.lifecycle.evidence import STARTED, Evidence, Expected
from tests.lifecycle.truth import Run

GROUP, TOPIC = "g", "p.lifecycle"
COMMAND = Command("p.begin", {"p_id": "1"}, "c-1", "/s")
SENT = Sent(COMMAND, "c-1", "/s", "p.begin", 0, 7, 1_000)
FIRST = Run(
    *("p-1", "r-1", "r-1", "Play", "q", 1),
    started_ms=1_005,
    state="continued_as_new",
    closed_ms=1_100,
    new_run_id="r-2",
    command_id="c-1",
)
SECOND = dataclasses.replace(
    FIRST, run_id="r-2", started_ms=1_100, state="completed", closed_ms=1_250, new_run_id=None, command_id=None
)


def record(expected: Expected, **data: Any) -> Record:
    headers = tuple((f"ce_{name}", value.encode()) for name, value in expected.attributes().items())
    value = json.dumps(expected.data() | data).encode()
    return Record(TOPIC, 0, 0, expected.time_ms, b"p-1", value, headers)


def reply(outcome: str, **data: Any) -> Record:
    name = event_id("reply", "/s", "c-1", outcome, *SENT.place)
    headers = (("ce_id", name.encode()), ("ce_type", f"command.{outcome}".encode()))
    place = dict(zip(("topic", "partition", "offset"), SENT.place, strict=True))
    return Record(
        "bridge.replies", 0, 0, 1_000, b"c-1", json.dumps(place | {"outcome": outcome} | data).encode(), headers
    )


def told() -> list[Record]:
    """Return the events of both runs, in order."""
    return [
        record(Expected(GROUP, TOPIC, run, str(state), SENT))
        for run in (FIRST, SECOND)
        for state in (STARTED, run.state)
    ]


def broken(
    records: Sequence[Record], runs: Sequence[Run] = (FIRST, SECOND), sent: Sent = SENT, **more: Any
) -> set[str]:
    return set(verdict.broken(Evidence(GROUP, TOPIC, runs, [sent], records, **more)))


def test_what_is_right_breaks_no_law() -> None:
    assert broken([*told(), reply("accepted")]) == set()


def test_an_event_that_is_not_there_is_missing() -> None:
    assert broken([*told()[:3], reply("accepted")]) == {"missing"}


def test_an_event_of_a_run_that_nobody_lists_is_false() -> None:
    ghost = record(Expected(GROUP, TOPIC, dataclasses.replace(SECOND, run_id="r-3"), "completed", SENT))
    assert broken([*told(), ghost, reply("accepted")]) == {"false"}


def test_a_second_end_of_a_run_is_false() -> None:
    other = record(Expected(GROUP, TOPIC, dataclasses.replace(SECOND, state="failed"), "failed", SENT))
    assert broken([*told(), other, reply("accepted")]) == {"false"}


def test_an_event_of_a_run_of_others_is_false() -> None:
    found = broken([*told(), reply("accepted")], strangers={"p-1"})
    assert found == {"false"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_ms": 151},
        {"closed_at": time_text(1_249)},
        {"new_run_id": "r-3"},
        {"first_run_id": "r-2"},
        {"failure": {"type": "t", "message": "m"}},
        {"command_id": "c-2"},
    ],
)
def test_an_event_that_tells_something_else_than_temporal_is_wrong(wrong: dict[str, Any]) -> None:
    end = record(Expected(GROUP, TOPIC, SECOND, "completed", SENT), **wrong)
    assert broken([*told()[:3], end, reply("accepted")]) == {"content"}


def test_a_copy_with_other_bytes_is_wrong_and_one_with_the_same_is_not() -> None:
    events = told()
    other = dataclasses.replace(events[3], headers=(*events[3].headers, ("traceparent", b"00")))
    assert broken([*events, events[3], reply("accepted")]) == set()
    assert broken([*events, other, reply("accepted")]) == {"copies"}


def test_a_copy_of_what_no_crash_can_have_doubled_is_wrong() -> None:
    events = told()
    assert broken([*events, events[3], reply("accepted")], once=[str(events[3].id)]) == {"once"}


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 1, 3, 2), (0, 2, 1, 3), (2, 3, 0, 1)])
def test_events_in_another_order_than_the_servers_are_wrong(order: tuple[int, ...]) -> None:
    events = told()
    runs = [FIRST, dataclasses.replace(SECOND, started_ms=1_101)]
    events[2] = record(Expected(GROUP, TOPIC, runs[1], STARTED, SENT))
    events[3] = record(Expected(GROUP, TOPIC, runs[1], "completed", SENT))
    assert broken([*(events[place] for place in order), reply("accepted")], runs) == {"order"}


@pytest.mark.parametrize(
    "replies", [[], [reply("accepted"), reply("rejected")], [reply("accepted"), reply("duplicate")]]
)
def test_a_start_without_an_answer_or_with_two_is_wrong(replies: list[Record]) -> None:
    assert broken([*told(), *replies]) == {"replies"}


def test_a_command_that_asked_is_told_of_the_last_end_and_no_other() -> None:
    asking = dataclasses.replace(SENT, command=dataclasses.replace(COMMAND, extensions={"replywhen": "done"}))
    last = reply("done", run_id="r-2", state="completed")
    first = reply("done", run_id="r-1", state="continued_as_new")
    assert broken([*told(), reply("accepted"), last], sent=asking) == set()
    assert broken([*told(), reply("accepted"), first], sent=asking) == {"replies"}
    assert broken([*told(), reply("accepted")], sent=asking) == {"replies"}
    assert broken([*told(), reply("accepted"), last]) == {"replies"}

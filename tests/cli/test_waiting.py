"""`publish --wait` as it reads replies, whatever order they come in."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge import routes
from bridge.cli import waiting
from bridge.cli.waiting import Coordinates, Fate
from bridge.command import Record
from bridge.routes import Route

PLACE = ("t", 2, 41)
ACCEPTED = {"outcome": "accepted", "workflow_id": "w", "run_id": "r"}
DONE = {"outcome": "done", "workflow_id": "w", "run_id": "r2", "state": "completed"}


def route(command: str) -> Route:
    return next(row for row in routes.OWN if row.command == command)


def reply(place: Coordinates, told: dict[str, Any]) -> bytes:
    return json.dumps(dict(zip(("topic", "partition", "offset"), place, strict=True)) | told).encode()


async def fates(command: str, *values: bytes, place: Coordinates = PLACE) -> dict[Coordinates, Fate]:
    """Return what is told, and what is left open when the replies end."""

    async def come() -> AsyncIterator[Record]:
        for offset, value in enumerate(values):
            yield Record("bridge.replies", 0, offset, 0, None, value, ())

    told: dict[Coordinates, Fate] = {}
    waited = waiting.Waiting(route(command), come(), told.__setitem__, {place: Fate()})
    await waited.follow()
    return told | {coordinates: fate for coordinates, fate in waited.open.items() if fate != Fate()}


@pytest.mark.parametrize("order", [(ACCEPTED, DONE), (DONE, ACCEPTED)], ids=["in order", "the end first"])
async def test_a_command_ends_with_its_run_and_keeps_the_run_that_it_reached(order: tuple[dict[str, Any], ...]) -> None:
    found = await fates("invoice.process", *(reply(PLACE, told) for told in order))
    assert found == {PLACE: Fate("accepted", None, "w", "r", "completed")}


async def test_a_command_whose_run_has_not_ended_stays_open() -> None:
    found = await fates("invoice.process", reply(PLACE, ACCEPTED))
    assert found == {PLACE: Fate("accepted", None, "w", "r", "running")}


async def test_a_refused_command_ends_with_its_reply() -> None:
    found = await fates("invoice.process", reply(PLACE, {"outcome": "rejected", "reason": "already_done"}))
    assert found == {PLACE: Fate("rejected", "already_done")}


async def test_a_repeated_command_whose_run_is_not_known_ends_with_its_reply() -> None:
    found = await fates("invoice.process", reply(PLACE, {"outcome": "duplicate", "workflow_id": "w"}))
    assert found == {PLACE: Fate("duplicate", None, "w")}


async def test_a_signal_with_start_ends_with_its_reply() -> None:
    found = await fates("lead.score", reply(PLACE, ACCEPTED))
    assert found == {PLACE: Fate("accepted", None, "w", "r", "running")}


@pytest.mark.parametrize(
    "value",
    [b"{", b"[]", b"{}", reply(("t", 2, 40), ACCEPTED), json.dumps({"topic": [], "partition": {}}).encode()],
    ids=["no JSON", "a list", "nothing", "the reply to another record", "coordinates that are none"],
)
async def test_what_is_no_reply_to_the_command_is_passed_over(value: bytes) -> None:
    assert await fates("invoice.process", value) == {}


@pytest.mark.parametrize(
    ("command", "fate", "bad"),
    [
        ("invoice.process", Fate("accepted", state="completed"), False),
        ("invoice.process", Fate("duplicate", state="completed"), False),
        ("invoice.process", Fate("accepted", state="failed"), True),
        ("invoice.process", Fate("accepted", state="running"), True),
        ("invoice.process", Fate("rejected"), True),
        ("invoice.process", Fate(), True),
        ("invoice.cancel", Fate("accepted", state="cancelled"), False),
        ("invoice.approve", Fate("accepted", state="cancelled"), True),
        ("lead.score", Fate("accepted", state="running"), False),
        ("lead.score", Fate(), True),
    ],
)
def test_the_exit_code_tells_what_the_caller_did_not_want(command: str, fate: Fate, bad: bool) -> None:
    assert waiting.is_bad(route(command), fate) == bad

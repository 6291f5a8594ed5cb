"""What a record tells of a command, without servers."""

import json
from typing import Any, cast

import pytest

from bridge.command import Record
from bridge.lookup.places import Places
from bridge.lookup.sources import Sources
from bridge.routes import Route, Routes, Verb

ROW = Route(command="order.place", verb=Verb.START, id="order-{id}", workflow="Order", task_queue="o", namespace="shop")


def sources() -> Sources:
    nothing = cast("Any", None)  # none of the servers is asked
    places = Places(Routes((ROW,)), (), "handled", {})
    return Sources(nothing, {}, places, nothing, {}, "default")


@pytest.mark.parametrize(("kind", "namespace"), [("order.place", "shop"), ("of.another.deployment", "default")])
def test_the_run_of_a_reply_is_in_the_namespace_of_the_commands_route(kind: str, namespace: str) -> None:
    data = {
        "command_id": "c-1",
        "command_source": "/shop",
        "command_type": kind,
        "topic": "order.place",
        "partition": 0,
        "offset": 7,
        "time": "2026-11-22T10:00:00.000Z",
        "outcome": "accepted",
        "workflow_id": "order-7",
        "run_id": "r-1",
        "reason": None,
        "detail": None,
    }
    told = sources().of_reply(Record("bridge.replies", 0, 1, 0, b"c-1", json.dumps(data).encode(), ()))
    assert told is not None
    assert told.run == (namespace, "order-7", "r-1")

"""What becomes of a record that a route of bridge.toml has, before Temporal is asked."""

import json
from typing import Any

import pytest

from bridge.command import Record, Skipped
from bridge.routes import Route, Verb
from tests.engine import records

ROUTE = Route(
    command="order.note", topic="order.commands", verb=Verb.SIGNAL, signal="note", id="{shop}/order-{order_id}"
)


def place(data: Any) -> Record:
    return records.record(json.dumps(data).encode(), records.binary(type="order.note"), topic="order.commands")


def test_a_route_without_a_schema_takes_whatever_fills_its_workflow_id() -> None:
    command = records.command(place({"shop": "s", "order_id": 7, "more": [1]}), rows=[ROUTE])
    assert (command.workflow_id, command.fields["more"]) == ("s/order-7", [1])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"shop": "s"}, "order_id: must be text or an integer, as the workflow id is made of it"),
        ({"shop": "s", "order_id": 1.5}, "order_id: must be text or an integer, as the workflow id is made of it"),
        ({"shop": "s", "order_id": "x" * 255}, "the workflow id would be longer than 255 characters"),
        ({"shop": "s", "order_id": "a\nb"}, "the workflow id would have control characters"),
        ([], "data: must be a JSON object"),
    ],
    ids=["missing", "fraction", "long", "control", "list"],
)
def test_data_that_make_no_workflow_id_are_invalid(data: Any, told: str) -> None:
    assert records.refusal(place(data), rows=[ROUTE]) == ("invalid", told)


def test_a_type_that_the_topic_does_not_have_is_unroutable_or_passed_over() -> None:
    other = records.record(b"{}", records.binary(type="order.unheard"), topic="order.commands")
    assert records.refusal(other, rows=[ROUTE])[0] == "unroutable"
    assert records.decode(other, rows=[ROUTE], skip=["order.commands"]) == Skipped(other)

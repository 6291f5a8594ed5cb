"""`command.done` for routes without code: every verb, and every kind of route."""

from typing import Any

from tests.acceptance.commands import fresh
from tests.acceptance.producer import Command
from tests.routes.conftest import Deployment

ORDERS = "order.commands"
LINES = [{"sku": "engine", "quantity": 1}]


def ended(deployment: Deployment, command: Command) -> tuple[str, Any]:
    """Return the state and the result that the second answer to a command tells, once it is there."""
    data = deployment.journal.one("command.done", cause=command.id).data
    return data["state"], data["result"]


def answers(deployment: Deployment, command: Command) -> list[str | None]:
    found = deployment.journal.events(cause=command.id)
    return [record.type for record in found if (record.type or "").startswith("command.")]


def test_every_command_that_reached_a_run_is_told_how_that_ended(deployment: Deployment) -> None:
    order = fresh("order")
    asked = [
        deployment.ask(ORDERS, "order.place", order, lines=LINES),
        deployment.ask(ORDERS, "order.note", order, text="a note"),
        deployment.ask(ORDERS, "order.touch", order, text="a touch"),
        deployment.ask(ORDERS, "order.change", order, quantity=2),
        deployment.ask(ORDERS, "order.note", order, text="the last", done=True),
    ]
    log = ["placed", "a note", "a touch", "quantity 2", "the last"]
    assert [ended(deployment, command) for command in asked] == [("completed", log)] * 5
    assert [answers(deployment, command) for command in asked] == [["command.accepted", "command.done"]] * 5


def test_a_terminate_is_told_that_the_run_is_terminated(deployment: Deployment) -> None:
    order = fresh("order")
    deployment.send(ORDERS, "order.place", order, lines=LINES)
    asked = deployment.ask(ORDERS, "order.kill", order, reason="fraud")
    assert ended(deployment, asked) == ("terminated", None)


def test_a_signal_with_start_is_told_how_the_run_ended_that_it_began(deployment: Deployment) -> None:
    asked = deployment.ask(ORDERS, "order.touch", fresh("order"), text="first", done=True)
    assert ended(deployment, asked) == ("completed", ["first"])
    assert answers(deployment, asked) == ["command.accepted", "command.done"]


def test_a_signal_is_told_how_the_run_ended_that_it_began_as_its_target_was_missing(deployment: Deployment) -> None:
    asked = deployment.ask("wish.note", "wish.note", fresh("wish"), text="please", done=True)
    assert ended(deployment, asked) == ("completed", ["please"])


def test_an_update_that_the_workflow_refuses_is_answered_once(deployment: Deployment) -> None:
    order = fresh("order")
    place = deployment.ask(ORDERS, "order.place", order, lines=LINES)
    refused = deployment.ask(ORDERS, "order.change", order, quantity=0)
    deployment.journal.one("command.rejected", cause=refused.id)
    deployment.send(ORDERS, "order.note", order, text="bye", done=True)
    assert ended(deployment, place) == ("completed", ["placed", "bye"])
    assert answers(deployment, refused) == ["command.rejected"]


def test_a_route_that_announces_no_runs_tells_those_who_ask(deployment: Deployment) -> None:
    asked = deployment.ask("hush.place", "hush.place", fresh("hush"), done=True)
    assert ended(deployment, asked) == ("completed", ["placed"])


def test_a_route_without_replies_tells_nobody(deployment: Deployment) -> None:
    quiet, order = fresh("quiet"), fresh("order")
    silent = deployment.ask("quiet.place", "quiet.place", quiet)
    deployment.journal.wait_until(
        lambda: len(deployment.view.runs_of(f"quiet-{quiet}")) == 1, 20, lambda: "the run of the silent route"
    )
    note = deployment.ask("quiet.note", "quiet.note", quiet, text="bye", done=True)
    deployment.journal.wait_until(
        lambda: [status for _, status in deployment.view.runs_of(f"quiet-{quiet}").values()] == ["COMPLETED"],
        20,
        lambda: "the end of the silent run",
    )
    # What is asked after it, and ends after it, has its second answer.
    marker = deployment.ask(ORDERS, "order.place", order, lines=LINES, done=True)
    assert ended(deployment, marker) == ("completed", ["placed"])
    assert answers(deployment, silent) == answers(deployment, note) == []


def test_the_completed_event_carries_the_result_where_the_route_says_so(deployment: Deployment) -> None:
    order = fresh("far")
    asked = deployment.ask("far.place", "far.place", order, done=True)
    completed = deployment.journal.one("workflow.completed", key=f"far-{order}")
    assert completed.data["result"] == ["placed"]
    assert ended(deployment, asked) == ("completed", ["placed"])
    other = fresh("order")
    deployment.ask(ORDERS, "order.place", other, lines=LINES, done=True)
    assert "result" not in deployment.journal.one("workflow.completed", key=f"order-{other}").data

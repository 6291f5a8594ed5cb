"""Routes without code on real servers: a bridge.toml, and a workflow that knows nothing of the bridge."""

import json
from typing import Any

import pytest

from tests.acceptance import program
from tests.acceptance.commands import fresh
from tests.acceptance.producer import Command
from tests.routes.conftest import Deployment

ORDERS = "order.commands"
LINES = [{"sku": "engine", "quantity": 1}]
PACED = 20
RATE = 10


def placed(deployment: Deployment, order: str, **more: Any) -> Command:
    command, _ = deployment.send(ORDERS, "order.place", order, lines=LINES, **more)
    return command


def answer(deployment: Deployment, command: Command) -> tuple[str, str | None]:
    """Return outcome and reason of a command, once it has them."""
    (reply,) = deployment.journal.wait_for(1, "command.accepted", "command.rejected", cause=command.id)
    return reply.data["outcome"], reply.data["reason"]


def test_commands_of_one_topic_reach_a_workflow_in_the_order_in_which_they_were_sent(deployment: Deployment) -> None:
    order = fresh("order")
    placed(deployment, order)
    expected: list[Any] = ["placed"]
    for number in range(1, 6):
        deployment.send(ORDERS, "order.note", order, text=f"note {number}")
        deployment.send(ORDERS, "order.change", order, quantity=number)
        deployment.send(ORDERS, "order.touch", order, text=f"touch {number}")
        expected += [f"note {number}", f"quantity {number}", f"touch {number}"]
    last, _ = deployment.send(ORDERS, "order.cancel", order, reason="enough")
    deployment.journal.one("workflow.cancelled", key=f"order-{order}")
    assert answer(deployment, last) == ("accepted", None)
    assert deployment.view.query(f"order-{order}", "log") == expected


def test_a_signal_with_start_begins_the_order_that_is_not_there(deployment: Deployment) -> None:
    order = fresh("order")
    deployment.send(ORDERS, "order.touch", order, text="first", done=True)
    deployment.journal.one("workflow.started", key=f"order-{order}")
    deployment.journal.one("workflow.completed", key=f"order-{order}")


def test_a_terminate_ends_the_run_with_its_reason(deployment: Deployment) -> None:
    order = fresh("order")
    placed(deployment, order)
    command, _ = deployment.send(ORDERS, "order.kill", order, reason="fraud")
    deployment.journal.one("workflow.terminated", key=f"order-{order}")
    assert answer(deployment, command) == ("accepted", None)
    last = deployment.view.history(f"order-{order}")[-1]
    assert last.workflow_execution_terminated_event_attributes.reason == "fraud"


def test_an_update_that_the_workflow_refuses_is_an_answer_and_no_dead_letter(deployment: Deployment) -> None:
    order = fresh("order")
    placed(deployment, order)
    command, place = deployment.send(ORDERS, "order.change", order, quantity=0)
    assert answer(deployment, command) == ("rejected", "refused_by_workflow")
    assert deployment.journal.records(lambda record: record.is_dead_letter_of(place)) == []


def test_data_that_the_schema_refuses_are_dead_lettered_with_every_path_and_no_value(deployment: Deployment) -> None:
    order = fresh("order")
    lines = [{"sku": "secret", "quantity": 0}, {"quantity": "1"}]
    command, place = deployment.send(ORDERS, "order.place", order, lines=lines)
    letter = deployment.journal.dead_letter(place)
    assert letter.header("dlq.reason") == "invalid"
    found = set(letter.header("dlq.detail").split("; "))
    assert found == {
        "lines.0.quantity: breaks minimum 1",
        "lines.1.sku: is missing",
        "lines.1.quantity: must be of the type integer",
    }
    assert answer(deployment, command) == ("rejected", "invalid")


def test_what_no_route_of_the_topic_has_is_passed_over_where_the_topic_says_so(deployment: Deployment) -> None:
    order = fresh("order")
    _, place = deployment.send(ORDERS, "order.unheard", order)
    deployment.journal.one("command.accepted", cause=placed(deployment, order).id)
    assert deployment.journal.records(lambda record: record.is_dead_letter_of(place)) == []


def test_a_run_has_the_timeout_priority_and_fairness_key_of_its_route(deployment: Deployment) -> None:
    order = fresh("order")
    command = placed(deployment, order, customer_id="c-7")
    deployment.journal.one("command.accepted", cause=command.id)
    info = deployment.view.describe(f"order-{order}").raw_description
    priority = info.workflow_execution_info.priority
    assert (priority.priority_key, priority.fairness_key) == (2, "c-7")
    assert info.execution_config.workflow_run_timeout.seconds == 3600


def test_a_route_without_replies_and_lifecycle_is_silent(deployment: Deployment) -> None:
    order = fresh("quiet")
    place, _ = deployment.send("quiet.place", "quiet.place", order)
    refused, where = deployment.send("quiet.note", "quiet.note", fresh("nobody"), text="x")
    deployment.journal.dead_letter(where)
    assert answer(deployment, refused) == ("rejected", "target_missing")
    deployment.journal.wait_until(
        lambda: len(deployment.view.runs_of(f"quiet-{order}")) == 1, 20, lambda: "the run of the silent route"
    )
    note, _ = deployment.send("quiet.note", "quiet.note", order, text="bye", done=True)
    deployment.journal.wait_until(
        lambda: [status for _, status in deployment.view.runs_of(f"quiet-{order}").values()] == ["COMPLETED"],
        20,
        lambda: "the end of the silent run",
    )
    # A later command of another route has been told of in full: what comes before it would be there too.
    marker = fresh("order")
    placed(deployment, marker, done=True)
    deployment.journal.one("workflow.completed", key=f"order-{marker}")
    assert deployment.journal.events(cause=place.id) == []
    assert deployment.journal.events(cause=note.id) == []


def test_a_signal_starts_its_missing_target_where_the_route_says_so(deployment: Deployment) -> None:
    order = fresh("wish")
    command, _ = deployment.send("wish.note", "wish.note", order, text="please", done=True)
    assert answer(deployment, command) == ("accepted", None)
    deployment.journal.one("workflow.started", key=f"wish-{order}")
    deployment.journal.one("workflow.completed", key=f"wish-{order}")


def test_a_rate_paces_its_own_route_and_no_other(deployment: Deployment) -> None:
    name = fresh("slow")
    slow = [deployment.send("slow.place", "slow.place", f"{name}-{number}", done=True)[0] for number in range(PACED)]
    other = placed(deployment, fresh("order"))
    deployment.journal.one("command.accepted", cause=other.id)
    accepted = [command for command in slow if deployment.journal.events("command.accepted", cause=command.id)]
    assert len(accepted) < PACED
    for command in slow:
        deployment.journal.one("command.accepted", cause=command.id)
    begun = sorted(deployment.view.describe(f"slow-{name}-{number}").start_time.timestamp() for number in range(PACED))
    assert begun[-1] - begun[0] >= (PACED - 2) / RATE * 0.9


def test_a_route_of_another_namespace_runs_and_is_announced_there(deployment: Deployment) -> None:
    order = fresh("far")
    command, _ = deployment.send("far.place", "far.place", order, done=True)
    assert answer(deployment, command) == ("accepted", None)
    ended = deployment.journal.one("workflow.completed", key=f"far-{order}")
    started = deployment.journal.one("workflow.started", key=f"far-{order}")
    assert (started.data["namespace"], ended.data["namespace"]) == ("far", "far")
    assert deployment.view.runs_of(f"far-{order}") == {}
    assert len(deployment.far.runs_of(f"far-{order}")) == 1


def test_an_update_without_a_worker_holds_its_key_and_nothing_else(deployment: Deployment) -> None:
    order = fresh("idle")
    deployment.send("idle.commands", "idle.place", order)
    waiting, _ = deployment.send("idle.commands", "idle.change", order, quantity=1)
    behind, _ = deployment.send("idle.commands", "idle.change", order, quantity=2)
    for _ in range(3):
        other, _ = deployment.send("idle.commands", "idle.place", fresh("idle"))
        assert answer(deployment, other) == ("accepted", None)
    assert program.get(f"{deployment.admin}/readyz")[0] == 200
    assert deployment.journal.events(cause=waiting.id) == deployment.journal.events(cause=behind.id) == []


def test_the_command_line_knows_the_routes(deployment: Deployment) -> None:
    rows = {row["command"]: row for row in deployment.bridge.here("routes", "-o", "json").rows}
    assert (len(rows), rows["order.change"]["update"], rows["slow.place"]["rate"]) == (14, "change", RATE)
    checked = deployment.bridge.here("config", "check")
    assert (checked.code, "14 routes" in checked.err) == (0, True)
    order = fresh("order")
    data = json.dumps({"order_id": order, "lines": LINES, "done": True}).encode()
    published = deployment.bridge.run("publish", ORDERS, "--type", "order.place", "--wait", "-o", "json", stdin=data)
    (row,) = published.rows
    assert (published.code, row["outcome"], row["state"]) == (0, "accepted", "completed"), published.err


@pytest.mark.parametrize(
    ("words", "data", "told"),
    [
        ((ORDERS,), "{}", "say which one with --type"),
        ((ORDERS, "--type", "order.plaec"), "{}", "known are order.place"),
        ((ORDERS, "--type", "order.place"), '{"order_id": "1"}', "lines: is missing"),
        (("quiet.place", "--wait"), '{"order_id": "1"}', "publish without --wait"),
    ],
    ids=["several", "unknown", "schema", "silent"],
)
def test_publish_refuses_what_the_route_does(
    deployment: Deployment, words: tuple[str, ...], data: str, told: str
) -> None:
    ended = deployment.bridge.here("publish", *words, stdin=data.encode())
    assert (ended.code, told in ended.err) == (2, True), ended.err

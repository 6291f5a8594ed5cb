"""`bridge trace` over routes without code: each of the six verbs, other namespaces, routes that answer nobody."""

from typing import Any

from tests.acceptance.commands import fresh
from tests.lookup import asking
from tests.routes.conftest import Deployment
from tests.routes.test_routes_on_servers import LINES, ORDERS, placed


def accounts(deployment: Deployment, text: str) -> list[dict[str, Any]]:
    return asking.accounts(deployment.bridge.env, text, deployment.bridge.folder / "bridge.toml")


def test_each_verb_is_found_by_the_workflow_id_with_the_run_that_it_reached(deployment: Deployment) -> None:
    order = fresh("order")
    sent = [placed(deployment, order)]
    for kind, data in (
        ("order.note", {"text": "a note"}),
        ("order.touch", {"text": "a touch"}),
        ("order.change", {"quantity": 2}),
        ("order.kill", {"reason": "fraud"}),
    ):
        command, _ = deployment.send(ORDERS, kind, order, **data)
        sent.append(command)
    end = deployment.journal.one("workflow.terminated", key=f"order-{order}")
    deployment.journal.one("command.accepted", cause=sent[-1].id)
    found = accounts(deployment, f"order-{order}")
    verbs = [each["route"]["verb"] for each in found]
    assert verbs == ["start", "signal", "signal_with_start", "update", "terminate"]
    assert [each["command"]["id"] for each in found] == [command.id for command in sent]
    assert {(each["outcome"], each["workflow"]["run_id"], each["workflow"]["state"]) for each in found} == {
        ("accepted", end.data["run_id"], "terminated")
    }


def test_an_update_that_was_refused_is_told_as_that(deployment: Deployment) -> None:
    order = fresh("order")
    placed(deployment, order)
    command, _ = deployment.send(ORDERS, "order.change", order, quantity=0)
    deployment.journal.one("command.rejected", cause=command.id)
    (account,) = accounts(deployment, command.id)
    assert (account["outcome"], account["reason"]) == ("rejected", "refused_by_workflow")
    assert account["against"]["state"] == "running"


def test_a_route_that_answers_nobody_is_told_by_its_run(deployment: Deployment) -> None:
    order = fresh("order")
    command, place = deployment.send("quiet.place", "quiet.place", order, done=True)
    deployment.view.result(f"quiet-{order}", wait_for_run(deployment, f"quiet-{order}"))
    (account,) = accounts(deployment, command.id)
    assert (account["outcome"], account["workflow"]["state"]) == ("accepted", "completed")
    assert account["replies"] == []
    assert 'no reply was found: its route has replies = "none"' in account["notes"]
    topic, _, offset = place
    assert (account["command"]["topic"], account["command"]["offset"]) == (topic, offset)


def wait_for_run(deployment: Deployment, workflow_id: str) -> str:
    found: dict[str, tuple[str, str]] = {}

    def is_there() -> bool:
        found.update(deployment.view.runs_of(workflow_id))
        return bool(found)

    deployment.journal.wait_until(is_there, 40, lambda: f"a run of {workflow_id}")
    return next(iter(found))


def test_a_run_of_another_namespace_is_found(deployment: Deployment) -> None:
    order = fresh("order")
    command, _ = deployment.send("far.place", "far.place", order, done=True)
    deployment.journal.one("workflow.completed", key=f"far-{order}")
    deployment.journal.one("command.accepted", cause=command.id)
    for text in (command.id, order, f"far-{order}"):
        (account,) = accounts(deployment, text)
        assert [each["namespace"] for each in account["runs"]] == ["far"]


def test_a_second_answer_is_found_behind_the_first(deployment: Deployment) -> None:
    order = fresh("order")
    command = deployment.ask(ORDERS, "order.place", order, lines=LINES)
    deployment.journal.one("command.accepted", cause=command.id)
    deployment.send(ORDERS, "order.note", order, text="last", done=True)
    deployment.journal.one("command.done", cause=command.id)
    (account,) = accounts(deployment, command.id)
    assert [each["type"] for each in account["replies"]] == ["command.accepted", "command.done"]
    assert account["outcome"] == "accepted"


def test_a_replayed_command_is_told_with_both_arrivals_and_with_what_became_of_each(deployment: Deployment) -> None:
    order = fresh("order")
    command, place = deployment.send("quiet.note", "quiet.note", order, text="too early")
    deployment.journal.dead_letter(place)
    deployment.send("quiet.place", "quiet.place", order)
    wait_for_run(deployment, f"quiet-{order}")
    where = "/".join(map(str, place))
    assert deployment.bridge.run("dlq", "replay", where, "--yes").code == 0
    deployment.journal.wait_until(
        lambda: deployment.view.signals(f"quiet-{order}") == ["note"], 40, lambda: "the signal's effect"
    )
    (account,) = accounts(deployment, command.id)
    assert [each["replays"] for each in account["arrivals"]] == [0, 1]
    assert [each["state"] for each in account["dead_letters"]] == ["replayed"]
    assert account["workflow"]["state"] == "running"


def test_a_run_that_nobody_works_for_says_what_it_waits_for(deployment: Deployment) -> None:
    order = fresh("order")
    command, _ = deployment.send("idle.commands", "idle.place", order)
    deployment.journal.one("command.accepted", cause=command.id)
    (account,) = accounts(deployment, command.id)
    (wait,) = account["runs"][0]["waits"]
    assert wait.endswith("for a worker that polls the task queue nobody")

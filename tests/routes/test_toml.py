"""`[[route]]` in bridge.toml: what it may say, and that all that is wrong is told at once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge import errors, settings
from bridge.intake.decode import Decoder
from bridge.routes import OWN, Argument, Missing, Replies, Rerun, Route, Verb
from bridge.routes.schema import SchemaChecker
from bridge.settings import Settings

START = {
    "command": "order.place",
    "verb": "start",
    "workflow": "Order",
    "task_queue": "orders",
    "id": "order-{order_id}",
}
VERBS: dict[str, dict[str, Any]] = {
    "start": START,
    "signal": {"command": "order.note", "verb": "signal", "signal": "note", "id": "order-{order_id}"},
    "signal_with_start": START | {"verb": "signal_with_start", "signal": "note"},
    "update": {"command": "order.change", "verb": "update", "update": "change", "id": "order-{order_id}"},
    "cancel": {"command": "order.cancel", "verb": "cancel", "id": "order-{order_id}"},
    "terminate": {"command": "order.kill", "verb": "terminate", "id": "order-{order_id}"},
}


def written(*rows: dict[str, Any], head: str = "") -> str:
    def value(item: Any) -> str:
        return (
            str(item).lower() if isinstance(item, bool) else (str(item) if not isinstance(item, str) else f"'{item}'")
        )

    tables = ("[[route]]\n" + "\n".join(f"{key} = {value(item)}" for key, item in row.items()) for row in rows)
    return head + "\n" + "\n".join(tables)


def load(text: str, folder: Path) -> Settings:
    file = folder / "bridge.toml"
    file.write_text(text)
    return settings.load({"BRIDGE_CONFIG": str(file)})


def one(row: dict[str, Any], folder: Path) -> Route:
    (found,) = load(written(row, head="domains = []"), folder).routes.rows
    return found


def problems(text: str, folder: Path) -> list[str]:
    with pytest.raises(errors.ConfigurationError) as caught:
        load(text, folder)
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize("verb", VERBS)
def test_a_row_of_each_verb_needs_no_more_than_its_names(tmp_path: Path, verb: str) -> None:
    row = one(VERBS[verb], tmp_path)
    assert (row.verb, row.command, row.topic) == (Verb(verb), VERBS[verb]["command"], VERBS[verb]["command"])


def test_what_a_row_leaves_out_is_as_the_contract_says(tmp_path: Path) -> None:
    assert one(START, tmp_path) == Route(
        command="order.place",
        verb=Verb.START,
        workflow="Order",
        task_queue="orders",
        id="order-{order_id}",
        topic="order.place",
        argument=Argument.DATA,
        lifecycle="order.lifecycle",
        replies=Replies.ALL,
        result=False,
        rerun=Rerun.AFTER_FAILURE,
        missing=Missing.WAIT,
        wait=timedelta(seconds=60),
    )


def test_a_row_can_say_everything(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "order.json").write_text('{"required": ["order_id"]}')
    said = START | {
        "topic": "order.commands",
        "schema": "schemas/order.json",
        "argument": "event",
        "lifecycle": "",
        "replies": "rejected",
        "result": True,
        "rerun": "never",
        "missing": "dead_letter",
        "wait": 2.5,
        "rate": 100,
        "run_timeout": 86400,
        "namespace": "shop",
        "priority": 3,
        "fairness_key": "{customer_id}",
    }
    row = one(said, tmp_path)
    assert isinstance(row.checker, SchemaChecker)
    assert (row.topic, row.argument, row.lifecycle, row.replies) == (
        "order.commands",
        Argument.EVENT,
        "",
        Replies.REJECTED,
    )
    assert (row.result, row.rerun, row.missing, row.wait) == (
        True,
        Rerun.NEVER,
        Missing.DEAD_LETTER,
        timedelta(seconds=2.5),
    )
    assert (row.rate, row.run_timeout, row.namespace, row.priority, row.fairness_key) == (
        100,
        timedelta(days=1),
        "shop",
        3,
        "{customer_id}",
    )


def test_a_row_for_a_command_of_ours_replaces_it(tmp_path: Path) -> None:
    mine = {"command": "invoice.cancel", "verb": "terminate", "id": "invoice-{invoice_id}"}
    table = load(written(mine), tmp_path).routes
    row = table.for_command("invoice.cancel")
    assert row is not None
    assert (row.verb, row.checker, len(table.rows)) == (Verb.TERMINATE, None, len(OWN))


def test_several_commands_share_a_topic(tmp_path: Path) -> None:
    rows = [row | {"topic": "order.commands", "command": f"order.{verb}"} for verb, row in VERBS.items()]
    table = load(written(*rows, head="domains = []"), tmp_path).routes
    assert table.topics == ("order.commands",)
    assert {table.find("order.commands", f"order.{verb}") for verb in VERBS} == set(table.rows)
    assert table.find("order.start", "order.start") is None


def test_a_topic_of_a_route_can_pass_over_what_is_unroutable(tmp_path: Path) -> None:
    text = written(START | {"topic": "order.commands"}, head='[[topic]]\nname = "order.commands"\nunroutable = "skip"')
    assert load(text, tmp_path).skip_unroutable == {"order.commands"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, ["command: is missing.", "verb: is missing.", "id: is missing."]),
        (
            START | {"workflw": "x"},
            ["workflw: is not known; did you mean workflow?"],
        ),
        (
            START | {"verb": "strat"},
            ["verb: strat is none of start, signal, signal_with_start, update, cancel, terminate; did you mean start?"],
        ),
        (
            {"command": "a.b", "verb": "start", "id": "a"},
            ["workflow: is missing: verb start needs it.", "task_queue: is missing: verb start needs it."],
        ),
        ({"command": "a.b", "verb": "signal", "id": "a"}, ["signal: is missing: verb signal needs it."]),
        ({"command": "a.b", "verb": "update", "id": "a"}, ["update: is missing: verb update needs it."]),
        (
            VERBS["cancel"] | {"workflow": "W", "signal": "s"},
            [
                "workflow: verb cancel has no use for it: remove it.",
                "signal: verb cancel has no use for it: remove it.",
            ],
        ),
        (
            VERBS["signal"] | {"workflow": "W"},
            ['workflow: verb signal without missing = "start" has no use for it: remove it.'],
        ),
        (
            VERBS["update"] | {"missing": "start", "workflow": "W"},
            ['task_queue: is missing: verb update with missing = "start" needs it.'],
        ),
        (
            VERBS["cancel"] | {"missing": "start"},
            ['missing: "start" is for signal and update: the other verbs start by themselves, or end a run.'],
        ),
        (START | {"id": "order-{order_id"}, ["id: 'order-{order_id' has a brace without its partner."]),
        (START | {"id": "{a b}"}, ["id: '{a b}' names 'a b', which is not a field's name."]),
        (START | {"fairness_key": "}"}, ["fairness_key: '}' has a brace without its partner."]),
        (START | {"task_queue": ""}, ["task_queue: give text that is not empty and has no control characters."]),
        (START | {"workflow": 7}, ["workflow: give text that is not empty and has no control characters."]),
        (START | {"workflow": "x" * 256}, ["workflow: give at most 255 characters."]),
        (
            START | {"topic": "a b"},
            ["topic: a topic's name has 1 to 245 of letters, digits, '.', '_' and '-'."],
        ),
        (
            START | {"lifecycle": "a/b"},
            ["lifecycle: a topic's name has 1 to 245 of letters, digits, '.', '_' and '-'."],
        ),
        (
            START | {"command": "Order placed"},
            [
                (
                    "command: is the topic's name too, as `topic` is missing: "
                    "a topic's name has 1 to 245 of letters, digits, '.', '_' and '-'."
                ),
            ],
        ),
        (START | {"topic": "a.dlq"}, ["topic: a.dlq is named like a dead-letter topic: name another one."]),
        (START | {"topic": "order.lifecycle"}, ["topic: order.lifecycle carries lifecycle events: name another one."]),
        (START | {"topic": "lead.events"}, ["topic: lead.events carries domain events: name another one."]),
        (START | {"argument": "all"}, ["argument: all is none of data, event."]),
        (START | {"replies": "non"}, ["replies: non is none of all, rejected, none; did you mean none?"]),
        (START | {"rerun": "once"}, ["rerun: once is none of never, after_failure, always."]),
        (START | {"missing": 3}, ["missing: this value is none of wait, start, dead_letter."]),
        (START | {"result": "yes"}, ['result: give true, false or "decrypted".']),
        (START | {"wait": -1}, ["wait: give a number of seconds from 0 to 2592000."]),
        (START | {"wait": True}, ["wait: give a number of seconds from 0 to 2592000."]),
        (START | {"wait": "60"}, ["wait: give a number of seconds from 0 to 2592000."]),
        (START | {"rate": 0}, ["rate: give a number of commands a second from 0.001 to 1000000."]),
        (START | {"run_timeout": 0}, ["run_timeout: give a number of seconds from 0.001 to 315360000."]),
        (START | {"priority": 6}, ["priority: give a whole number from 1 (first) to 5 (last)."]),
        (START | {"priority": True}, ["priority: give a whole number from 1 (first) to 5 (last)."]),
    ],
)
def test_a_wrong_row_is_refused_with_file_number_and_key(tmp_path: Path, row: dict[str, Any], told: list[str]) -> None:
    name = f" ({row['command']})" if "command" in row else ""
    assert problems(written(row), tmp_path) == [f"bridge.toml: [[route]] number 1{name}: {each}" for each in told]


@pytest.mark.parametrize(
    ("topic", "what"),
    [("bridge.replies", "replies"), ("answers", "replies"), ("shop.feed", "the feed's state")],
)
def test_a_route_cannot_read_what_the_daemon_writes(tmp_path: Path, topic: str, what: str) -> None:
    head = '[bridge]\ngroup_id = "shop"\nreply_topics = ["bridge.replies", "answers"]'
    assert problems(written(START | {"topic": topic}, head=head), tmp_path) == [
        f"bridge.toml: [[route]] (order.place): topic: {topic} carries {what}: name another one."
    ]


def test_infinity_is_no_time_and_a_number_of_400_digits_is_none_either(tmp_path: Path) -> None:
    text = written(START) + f"\nwait = inf\nrate = nan\nrun_timeout = {'9' * 400}"
    assert len(problems(text, tmp_path)) == 3


def test_all_rows_are_told_of_at_once_with_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    text = written(START | {"priority": 9}, VERBS["cancel"] | {"verb": "kill"}, START, head="domain = []")
    assert [problem.partition(": ")[2][:40] for problem in problems(text, tmp_path)] == [
        "[[route]] number 1 (order.place): priori",
        "[[route]] number 2 (order.cancel): verb:",
        "[[route]] number 3 (order.place): comman",
        "domain is not known; did you mean domain",
    ]


def test_a_command_has_one_row(tmp_path: Path) -> None:
    assert problems(written(START, START | {"topic": "other"}), tmp_path) == [
        "bridge.toml: [[route]] number 2 (order.place): command: number 1 has it already: keep one of them."
    ]


@pytest.mark.parametrize("text", ["route = 3", "route = [1]", "[route]\ncommand = 'a'"])
def test_routes_of_the_wrong_shape_are_refused(tmp_path: Path, text: str) -> None:
    assert problems(text, tmp_path) == ["bridge.toml: route: write each one as a table of its own, [[route]]."]


def test_a_schema_that_is_not_there_is_named(tmp_path: Path) -> None:
    (problem,) = problems(written(START | {"schema": "none.json"}), tmp_path)
    assert problem.endswith("schema: none.json cannot be read: No such file or directory.")


def test_without_any_route_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="no route: nothing to do"):
        load("domains = []", tmp_path).require_routes()


def test_routes_alone_are_enough(tmp_path: Path) -> None:
    loaded = load(written(START, head="domains = []"), tmp_path)
    loaded.require_routes()
    assert Decoder(loaded.routes).routes.lifecycle_topics == ("order.lifecycle",)

import json
import uuid
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner

from bridge import routes
from bridge.cli import draft
from tests.cli.command_line import CommandLine, Ended

TOPIC = "invoice.approve"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def approval(number: str, **more: Any) -> dict[str, Any]:
    return {"invoice_id": number, "by": "ann", **more}


def fresh() -> str:
    return f"I-{uuid.uuid4().hex[:12]}"


def published(stack: CommandLine, *words: str, stdin: bytes, **more: str) -> Ended:
    ended = stack.here("publish", *words, "-o", "json", stdin=stdin, **more)
    assert ended.code == 0, ended.err
    return ended


def found(stack: CommandLine, identifier: str, topic: str = TOPIC) -> dict[str, Any]:
    """Return what `tail` shows of the command with this id."""
    with stack.running("tail", topic, "--from-beginning", "-o", "json") as tail:
        assert tail.stdout is not None
        return next(row for row in map(json.loads, tail.stdout) if row["id"] == identifier)


def test_an_object_becomes_an_event_keyed_by_its_business_id(stack: CommandLine) -> None:
    number = fresh()
    (row,) = published(stack, TOPIC, "-", stdin=json.dumps(approval(number)).encode()).rows
    assert list(row) == ["topic", "partition", "offset", "id", "source"]
    shown = found(stack, row["id"])
    assert {name: shown[name] for name in ("topic", "partition", "offset", "id", "source")} == row
    assert (shown["key"], shown["type"], shown["data"]) == (number, TOPIC, approval(number))


def test_the_partition_is_murmur2s(stack: CommandLine) -> None:
    numbers = [fresh() for _ in range(8)]
    text = "\n".join(json.dumps(approval(number)) for number in numbers).encode()
    rows = published(stack, TOPIC, stdin=text).rows
    six = list(range(6))
    assert [row["partition"] for row in rows] == [DefaultPartitioner()(number.encode(), six, six) for number in numbers]


def test_lines_and_objects_over_several_lines_are_each_one_event_in_order(stack: CommandLine) -> None:
    number = fresh()
    objects = [approval(number, comment=str(count)) for count in range(3)]
    text = "\n".join([json.dumps(objects[0], indent=2), json.dumps(objects[1]) + " " + json.dumps(objects[2])])
    rows = published(stack, TOPIC, stdin=b"\xef\xbb\xbf" + text.encode()).rows
    assert [row["offset"] for row in rows] == [rows[0]["offset"] + count for count in range(3)]
    assert [found(stack, row["id"])["data"] for row in rows] == objects


def test_numbers_are_sent_as_they_were_written(stack: CommandLine) -> None:
    text = b'{"invoice_id": "I-1", "by": "ann", "more": 1.10000000000000000001}'
    (row,) = published(stack, TOPIC, stdin=text).rows
    with stack.running("tail", TOPIC, "--from-beginning", "-o", "json") as tail:
        assert tail.stdout is not None
        line = next(line for line in tail.stdout if row["id"].encode() in line)
    assert b'"more": 1.10000000000000000001' in line


def test_key_id_and_source_are_taken_from_the_flags(stack: CommandLine) -> None:
    identifier = fresh()
    words = (TOPIC, "--key", "k", "--id", identifier, "--source", "/tests")
    (row,) = published(stack, *words, stdin=json.dumps(approval("I-1")).encode()).rows
    assert (row["id"], row["source"]) == (identifier, "/tests")
    assert found(stack, identifier)["key"] == "k"


@pytest.mark.parametrize(("given", "written"), [(TRACE, True), ("00-nonsense", False)])
def test_the_trace_of_the_environment_goes_along_if_it_is_one(given: str, written: bool) -> None:
    sender = draft.Sender(TOPIC, traceparent=draft.traceparent({"TRACEPARENT": given}))
    (route,) = routes.table(["invoice"]).of_topic(TOPIC)
    headers = dict(draft.make(sender, route, 1, b"{}").headers)
    expected = given.encode() if written else None
    assert (headers.get("traceparent"), headers.get("ce_traceparent")) == (expected, expected)


def test_nothing_is_sent_unless_all_are_sound_and_each_problem_has_its_line(stack: CommandLine) -> None:
    number = fresh()
    file = stack.folder / "bad.jsonl"
    lines = [json.dumps(approval(number)), '{"invoice_id": "a b"}', '{"invoice_id": ', "", '{"by": 1, "by": 2}', "[1]"]
    file.write_text("\n".join(lines))
    ended = stack.here("publish", TOPIC, "bad.jsonl")
    assert (ended.code, ended.out) == (2, "")
    second, third, fifth, sixth = ended.err.splitlines()
    assert second.startswith("bridge: bad.jsonl line 2: invalid: invoice_id: String should match pattern ")
    assert second.endswith("; by: Field required.")
    assert third == "bridge: bad.jsonl line 3: it is no JSON: Expecting ',' delimiter, at line 6, column 1."
    assert fifth.startswith("bridge: bad.jsonl line 5: undecodable: value: no JSON text: ")
    assert sixth == "bridge: bad.jsonl line 6: invalid: data: must be a JSON object."
    marker = published(stack, TOPIC, stdin=json.dumps(approval(number)).encode()).rows[0]
    assert found_keys(stack, marker) == [number]


def found_keys(stack: CommandLine, last: dict[str, Any]) -> list[str]:
    """Return the keys of the records of one partition that are equal to the last one's, up to that one."""
    rows = []
    with stack.running("tail", TOPIC, "--from-beginning", "-o", "json") as tail:
        assert tail.stdout is not None
        for row in map(json.loads, tail.stdout):
            if row["partition"] == last["partition"]:
                rows.append(row)
            if row["id"] == last["id"]:
                break
    return [row["key"] for row in rows if row["key"] == rows[-1]["key"]]


def test_without_a_check_everything_is_sent_as_it_is(stack: CommandLine) -> None:
    rows = published(stack, TOPIC, "--no-check", stdin=b'{"invoice_id": "a b"}\n\n{"invoice_id": \n\xff\n').rows
    assert [found(stack, row["id"])["data"] for row in rows] == [{"invoice_id": "a b"}, '{"invoice_id": ', "\\xff"]


@pytest.mark.parametrize(
    ("words", "stdin", "problem"),
    [
        (("invoice.aprove",), b"{}", "invoice.aprove is not a command topic; known are invoice.approve"),
        (("invoice.events",), b"{}", "invoice.events is not a command topic"),
        ((TOPIC, "nosuch.json"), b"", "nosuch.json cannot be read: No such file or directory."),
        ((TOPIC, "."), b"", ". cannot be read: Is a directory."),
        ((TOPIC,), b" \n", "standard input holds no JSON object: there is nothing to publish."),
        ((TOPIC,), b"\xff", "standard input line 1: it is not UTF-8 text."),
        ((TOPIC,), b"[" * 100_000, "standard input line 1: it is nested too deeply."),
        ((TOPIC, "--id", "x"), b'{"invoice_id":"a","by":"b"}' * 2, "--id names one command"),
        ((TOPIC, "--id", ""), b'{"invoice_id":"a","by":"b"}', "id: is missing"),
        ((TOPIC, "--source", "x" * 256), b'{"invoice_id":"a","by":"b"}', "source: is longer than 255 characters"),
        ((TOPIC,), b'{"invoice_id":"a","by":"' + b"b" * 1024 * 1024 + b'"}', "too_large: value: "),
    ],
)
def test_input_that_is_refused_ends_it_with_2(
    stack: CommandLine, words: tuple[str, ...], stdin: bytes, problem: str
) -> None:
    ended = stack.here("publish", *words, stdin=stdin)
    assert (ended.code, ended.out) == (2, "")
    assert problem in ended.err
    assert "Traceback" not in ended.err


def test_a_domain_that_does_not_run_has_no_topics(stack: CommandLine) -> None:
    config = stack.folder / "lead.toml"
    config.write_text('domains = ["lead"]')
    ended = stack.here("publish", TOPIC, stdin=b"{}", BRIDGE_CONFIG=str(config))
    assert ended.code == 2
    assert "invoice.approve is not a command topic; known are lead.score." in ended.err

"""Records that are no command: each lies in its dead-letter topic untouched, is answered, and stops nothing."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance import commands, contract, damage
from tests.acceptance.commands import fresh
from tests.acceptance.conftest import Line
from tests.acceptance.journal import Record
from tests.acceptance.producer import Command, Headers

MIB = 1024 * 1024

LEAD: dict[str, Any] = {
    "lead_id": "lead-1",
    "activities": [{"kind": "page_view", "occurred_at": "2026-11-01T12:00:00Z"}],
}
# Whatever a producer may have put there; a dead letter holds all of it, in this order.
ODD: Headers = (
    ("empty", b""),
    ("null", None),
    ("twice", b"one"),
    ("bytes", b"\xff\xfe\x00"),
    ("twice", b"two"),
    ("umlaut-\u00e4", "\u00e4".encode()),
)


@dataclass(frozen=True)
class Bad:
    """A record and what becomes of it; `answered` says whether it is told to anyone."""

    reason: str
    value: bytes | None
    headers: Headers = ()
    says: tuple[str, ...] = ()
    topic: str = "lead.score"
    answered: bool = True


def binary(**changed: bytes | None) -> Headers:
    """Return the headers of a sound event of type lead.score, but for what is changed; None leaves one out."""
    headers: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": b"?",
        "ce_source": b"/acceptance/bad",
        "ce_type": b"lead.score",
    }
    headers |= {f"ce_{name}": value for name, value in changed.items()}
    return tuple((name, value) for name, value in headers.items() if value is not None)


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def nested(depth: int) -> bytes:
    return text(LEAD)[:-1] + b', "deep": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)

BAD = {
    "no JSON": Bad("undecodable", b"{", binary()),
    "no JSON, bare": Bad("undecodable", b"{", answered=False),
    "an empty value": Bad("undecodable", b"", binary()),
    "a tombstone": Bad("undecodable", None, binary()),
    "trailing bytes": Bad("undecodable", text(LEAD) + b"}", binary()),
    "a byte order mark": Bad("undecodable", b"\xef\xbb\xbf" + text(LEAD), binary()),
    "NaN": Bad("undecodable", text(LEAD | {"x": float("nan")}), binary()),
    "a name that is there twice": Bad("undecodable", b'{"lead_id": "a", "lead_id": "b"}', binary()),
    "a lone surrogate": Bad("undecodable", b'{"lead_id": "\\ud800"}', binary()),
    "no UTF-8": Bad("undecodable", b'{"lead_id": "\xff"}', binary()),
    "65 levels": Bad("undecodable", nested(65), binary()),
    "another content type": Bad("undecodable", b"<lead/>", (*binary(), ("content-type", b"text/xml"))),
    "another content type, bare": Bad("undecodable", text(LEAD), (("content-type", b"text/xml"),), answered=False),
    "a batch": Bad(
        "undecodable", text([LEAD]), (("content-type", b"application/cloudevents-batch+json"),), answered=False
    ),
    "bad base64": Bad(
        "undecodable",
        text({"specversion": "1.0", "id": "?", "source": "/x", "type": "lead.score", "data_base64": "*"}),
        STRUCTURED,
    ),
    "JSON that is no object": Bad("invalid", b"[1]", binary(), ("data",)),
    "a ce_ value that is no UTF-8": Bad("invalid", text(LEAD), binary(subject=b"\xff"), ("subject",)),
    "no source": Bad("invalid", text(LEAD), binary(source=None), ("source",)),
    "an empty type": Bad("invalid", text(LEAD), binary(type=b""), ("type",)),
    "another specversion": Bad("invalid", text(LEAD), binary(specversion=b"0.3"), ("specversion",)),
    "no id": Bad("invalid", text(LEAD), binary(id=None), ("id",), answered=False),
    "two ids": Bad("invalid", text(LEAD), (*binary(), ("ce_id", b"other")), ("id",)),
    "no time": Bad("invalid", text(LEAD), binary(time=b"yesterday"), ("time",)),
    "a long source": Bad("invalid", text(LEAD), binary(source=b"/" * 256), ("source",)),
    "a control character": Bad("invalid", text(LEAD), binary(source=b"/a\nb"), ("source",)),
    "another type": Bad("unroutable", text(LEAD), binary(type=b"invoice.process")),
    "a reply topic that is not allowed": Bad("forbidden", text(LEAD), binary(replyto=b"lead.events"), answered=False),
    "another time for the second reply": Bad("invalid", text(LEAD), binary(replywhen=b"later"), ("replywhen",)),
    "a large value": Bad("too_large", text(LEAD | {"x": "x" * MIB}), binary()),
    "an old dead letter": Bad("undecodable", b"{", (*binary(), ("dlq.reason", b"old"), ("dlq.replays", b"2"))),
}


def send(line: Line, bad: Bad, *, key: bytes | None = b"key") -> tuple[str, tuple[str, int, int], Headers]:
    """Write the record with an id of its own; return the id, its place and its headers."""
    command_id = fresh("bad")
    headers = tuple((name, command_id.encode() if value == b"?" else value) for name, value in bad.headers)
    value = bad.value and bad.value.replace(b'"?"', f'"{command_id}"'.encode())
    return command_id, line.producer.send_raw(bad.topic, key, value, (*ODD, *headers)), (*ODD, *headers)


def check_dead_letter(record: Record, place: tuple[str, int, int], reason: str, headers: Headers) -> dict[str, str]:
    """Hold headers and the `dlq.` ones; return these."""
    kept = tuple(header for header in headers if not header[0].startswith("dlq."))
    assert record.topic == f"{place[0]}.dlq"
    assert record.headers[: len(kept)] == kept
    told = {name.removeprefix("dlq."): (value or b"").decode() for name, value in record.headers[len(kept) :]}
    assert len(told) == len(record.headers) - len(kept)
    expected = {
        "reason": reason,
        "topic": place[0],
        "partition": str(place[1]),
        "offset": str(place[2]),
        "group": contract.GROUP,
    }
    assert {name: told[name] for name in expected} == expected
    assert all(contract.TIME.fullmatch(told[name]) for name in ("timestamp", "failed_at"))
    assert int(told["attempts"]) >= 1
    assert told["detail"]
    return told


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_lies_untouched_in_its_dead_letter_topic(line: Line, name: str) -> None:
    bad = BAD[name]
    command_id, place, headers = send(line, bad)
    record = line.journal.dead_letter(place)
    told = check_dead_letter(record, place, bad.reason, headers)
    value = bad.value and bad.value.replace(b'"?"', f'"{command_id}"'.encode())
    assert (record.key, record.value) == (b"key", value)
    assert told["replays"] == ("2" if name == "an old dead letter" else "0")
    assert [word for word in bad.says if not re.search(rf"\b{word}: ", told["detail"])] == []
    # A sound command behind it in the same partition goes on, and its answer comes after the bad one's.
    if not bad.answered:
        marker = line.producer.send(commands.lead(fresh("marker")))
        line.journal.one("lead.scored", cause=marker.id)
        assert line.journal.events("command.rejected", cause=command_id) == []
        return
    reply = line.journal.one("command.rejected", cause=command_id)
    assert (reply.data["reason"], reply.data["outcome"]) == (bad.reason, "rejected")
    assert (reply.data["topic"], reply.data["partition"], reply.data["offset"]) == place
    assert reply.data["workflow_id"] is None
    source = reply.data["command_source"]
    assert reply.id == contract.event_id("reply", source, command_id, "rejected", *place)
    assert reply.key == command_id.encode()


def test_every_problem_of_an_invalid_command_is_named_by_its_path(line: Line) -> None:
    number = fresh("inv")
    command = commands.invoice(
        number,
        customer={"email": "nobody"},
        currency="EURO",
        lines=[{"description": "x", "quantity": 0, "unit_price": -1}, {"quantity": "1e30", "unit_price": "1"}],
        issued_on="2026-13-01",
    )
    sent = line.producer.send(command)
    detail = line.journal.dead_letter(sent.place).header("dlq.detail")
    paths = ("customer.name", "customer.email", "currency", "lines.0.quantity", "lines.0.unit_price")
    more = ("lines.1.description", "lines.1.quantity", "issued_on")
    assert [path for path in (*paths, *more) if f"{path}: " not in detail] == []
    reply = line.journal.one("command.rejected", cause=sent.id)
    assert (reply.data["reason"], reply.data["detail"]) == ("invalid", detail)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (commands.invoice("inv", due_on="2025-01-01"), "due_on"),
        (commands.invoice("inv/1"), "invoice_id"),
        (commands.invoice("inv", lines=[]), "lines"),
        (commands.campaign("c", "radio"), "channels.0"),
        (commands.campaign("c", budget={"amount": 0, "currency": "EUR"}), "budget.amount"),
        (commands.lead("l", ["sneeze"]), "activities.0.kind"),
        (commands.lead("l", []), "activities"),
        (Command("invoice.approve", {"invoice_id": "i", "by": "x", "approved": "yes"}), "approved"),
    ],
)
def test_what_the_contract_forbids_is_invalid(line: Line, command: Command, path: str) -> None:
    sent = line.producer.send(Command(command.type, command.data))
    detail = line.journal.dead_letter(sent.place).header("dlq.detail")
    assert path in detail
    assert line.journal.one("command.rejected", cause=sent.id).data["reason"] == "invalid"


def test_a_tombstone_without_key_becomes_an_empty_value_that_says_so(line: Line) -> None:
    place = line.producer.send_raw("invoice.cancel", None, None, ODD)
    record = line.journal.dead_letter(place)
    told = check_dead_letter(record, place, "undecodable", ODD)
    assert (record.key, record.value, told["null"]) == (None, b"", "value")


def test_64_levels_and_a_full_mib_are_accepted(line: Line) -> None:
    number = fresh("lead")
    value = nested(64).replace(b'"lead-1"', f'"{number}"'.encode())
    line.producer.send_raw("lead.score", None, value, ())
    line.journal.one("lead.scored", key=number)
    large = text(LEAD | {"lead_id": number, "x": ""})
    line.producer.send_raw("lead.score", None, large[:-2] + b"x" * (MIB - len(large)) + b'"}', ())
    line.journal.wait_for(2, "lead.scored", key=number)


def test_a_bad_record_stops_neither_its_partition_nor_its_key(line: Line) -> None:
    number = fresh("lead")
    before = line.producer.send(commands.lead(number))
    _, place, _ = send(line, BAD["no JSON"], key=number.encode())
    after = line.producer.send(commands.lead(number))
    assert place[1] == before.partition == after.partition
    line.journal.dead_letter(place)
    line.journal.one("lead.scored", cause=after.id)


def test_a_header_name_that_is_not_utf_8_stops_nothing_and_what_can_be_had_of_it_is_kept(line: Line) -> None:
    number = fresh("lead")
    before = line.producer.send(commands.lead(number))
    headers = [(name, value or b"") for name, value in binary(id=b"damaged")]
    place = damage.send(line.kafka.bootstrap, "lead.score", before.partition, text(LEAD), headers)
    after = line.producer.send(commands.lead(number))
    for sound in (before, after):
        line.journal.one("lead.scored", cause=sound.id)
    record = line.journal.dead_letter(place)
    told = dict(record.headers)
    assert (told["dlq.reason"], record.key, record.value) == (b"undecodable", b"key", text(LEAD))
    assert told["ce_id"] == b"damaged"
    assert line.journal.events("lead.scored", cause="damaged") == []

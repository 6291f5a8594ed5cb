"""`bridge trace` on the whole line: every kind of id leads to the same account."""

from typing import Any

import pytest

from tests.acceptance import commands
from tests.acceptance.commands import LARGE, TRACE, TRACED, fresh
from tests.acceptance.conftest import Line
from tests.acceptance.producer import SOURCE, Command, Sent
from tests.cli.command_line import CommandLine, Ended
from tests.lookup import asking

STEPS = [
    *("invoice.validated", "invoice.approval_requested", "invoice.approved", "invoice.sent", "invoice.recorded"),
]
TAIL_FIELDS = [
    *("topic", "partition", "offset", "timestamp", "key", "id", "source", "type", "subject", "time", "data"),
]


class Approved:
    """An invoice that was approved, and what was sent for it."""

    def __init__(self, line: Line) -> None:
        self.number = fresh("traced")
        invoice = commands.invoice(self.number, LARGE)
        self.workflow_id = invoice.workflow_id
        trace = fresh("0")[-12:].rjust(32, "a")
        self.trace_id = trace
        extensions = {"traceparent": TRACED["traceparent"].replace(TRACE, trace)}
        self.process = line.producer.send(Command(invoice.type, invoice.data, extensions=extensions))
        line.journal.one("invoice.approval_requested", key=self.number)
        self.approve = line.producer.send(commands.approve("invoice", self.number))
        self.end = line.journal.one("workflow.completed", key=self.workflow_id)
        self.reply = line.journal.one("command.accepted", cause=self.approve.id)


@pytest.fixture(scope="module")
def approved(line: Line) -> Approved:
    return Approved(line)


def run(line: Line, *words: str) -> Ended:
    return CommandLine(line.folder, line.env).run("trace", *words)


def accounts(line: Line, text: str) -> list[dict[str, Any]]:
    return asking.accounts(line.env, text)


def told(sent: Sent) -> dict[str, Any]:
    """Return what an account tells of a command that was sent."""
    topic, partition, offset = sent.place
    return {"id": sent.id, "source": SOURCE, "type": topic, "topic": topic, "partition": partition, "offset": offset}


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [record["type"] for record in records]


def test_a_commands_id_leads_to_all_that_followed_from_it(line: Line, approved: Approved) -> None:
    ended = run(line, approved.process.id, "-o", "json")
    (account,) = ended.rows
    assert (ended.code, ended.err) == (0, "")
    assert account["query"] == approved.process.id
    command = account["command"]
    assert command.pop("time") == account["replies"][0]["time"]
    assert command == told(approved.process)
    assert account["outcome"] == "accepted"
    run_id = approved.end.data["run_id"]
    assert account["workflow"] == {"workflow_id": approved.workflow_id, "run_id": run_id, "state": "completed"}
    assert kinds(account["events"]) == STEPS
    assert kinds(account["lifecycle"]) == ["workflow.started", "workflow.completed"]
    assert kinds(account["replies"]) == ["command.accepted"]
    assert account["dead_letters"] == []
    assert list(account["events"][0]) == TAIL_FIELDS
    assert account["route"]["verb"] == "start"
    assert account["notes"] == []


def test_a_signals_id_leads_to_the_run_that_it_reached_and_to_what_it_led_to(line: Line, approved: Approved) -> None:
    (account,) = accounts(line, approved.approve.id)
    assert account["command"].pop("time")
    assert account["command"] == told(approved.approve)
    assert (account["outcome"], account["workflow"]["run_id"]) == ("accepted", approved.end.data["run_id"])
    assert kinds(account["events"]) == ["invoice.approved"]


@pytest.mark.parametrize("kind", ["business id", "workflow id"])
def test_a_business_id_and_a_workflow_id_lead_to_every_command_in_order(
    line: Line, approved: Approved, kind: str
) -> None:
    found = accounts(line, approved.number if kind == "business id" else approved.workflow_id)
    assert [each["command"]["id"] for each in found] == [approved.process.id, approved.approve.id]
    assert kinds(found[0]["events"]) == STEPS


def test_a_trace_id_leads_to_the_command_that_brought_it(line: Line, approved: Approved) -> None:
    found = accounts(line, approved.trace_id)
    assert [(each["command"]["id"], each["trace_id"]) for each in found] == [(approved.process.id, approved.trace_id)]


def test_the_place_of_a_command_leads_to_it_and_so_does_that_of_anything_that_followed(
    line: Line, approved: Approved
) -> None:
    reply, end = approved.reply, approved.end
    places = [
        approved.approve.place,
        (reply.topic, reply.partition, reply.offset),
        (end.topic, end.partition, end.offset),
    ]
    found = [accounts(line, "/".join(map(str, place))) for place in places]
    expected = [approved.approve.id, approved.approve.id, approved.process.id]
    assert [each["command"]["id"] for rows in found for each in rows] == expected


def test_a_cancel_is_found_by_its_id(line: Line) -> None:
    number = fresh("dropped")
    line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    cancel = line.producer.send(commands.cancel("invoice", number))
    line.journal.one("workflow.cancelled", key=f"invoice-{number}")
    line.journal.one("command.accepted", cause=cancel.id)
    (account,) = accounts(line, cancel.id)
    assert (account["outcome"], account["workflow"]["state"]) == ("accepted", "cancelled")
    assert account["route"]["verb"] == "cancel"


def test_a_signal_with_start_is_found_with_its_own_events_alone(line: Line) -> None:
    number = fresh("lead")
    first, second = (line.producer.send(commands.lead(number)) for _ in range(2))
    line.journal.wait_for(2, "lead.scored", key=number)
    line.journal.one("command.accepted", cause=second.id)
    (account,) = accounts(line, second.id)
    assert kinds(account["events"]) == ["lead.scored"]
    assert account["events"][0]["data"]["command_id"] == second.id
    assert account["workflow"]["state"] == "running"
    assert [each["command"]["id"] for each in accounts(line, number)] == [first.id, second.id]


def test_a_rejected_command_is_told_with_the_run_that_stood_in_its_way(line: Line, approved: Approved) -> None:
    again = line.producer.send(commands.invoice(approved.number, LARGE))
    line.journal.one("command.rejected", cause=again.id)
    (account,) = accounts(line, again.id)
    assert (account["outcome"], account["reason"]) == ("rejected", "already_done")
    assert account["against"]["run_id"] == approved.end.data["run_id"]
    assert (account["events"], account["lifecycle"]) == ([], [])


def test_a_command_without_an_envelope_is_found_by_the_id_that_its_place_gives_it(line: Line) -> None:
    number = fresh("bare")
    sent = line.producer.send(commands.invoice(number), "bare")
    line.journal.one("workflow.completed", key=f"invoice-{number}")
    line.journal.one("command.accepted", cause=sent.id)
    (account,) = accounts(line, sent.id)
    assert (account["command"]["id"], account["outcome"]) == (sent.id, "accepted")


def test_a_dead_letter_is_told_with_its_reason_by_id_by_key_and_by_place(line: Line) -> None:
    number = fresh("bad")
    sent = line.producer.send(Command("invoice.process", {"invoice_id": number}))
    letter = line.journal.dead_letter(sent.place)
    line.journal.one("command.rejected", cause=sent.id)
    where = f"{letter.topic}/{letter.partition}/{letter.offset}"
    for text in (sent.id, number, where):
        (account,) = accounts(line, text)
        assert (account["command"]["id"], account["outcome"], account["reason"]) == (sent.id, "rejected", "invalid")
        (found,) = account["dead_letters"]
        assert (found["topic"], found["offset"], found["state"]) == (letter.topic, letter.offset, "open")
        assert found["detail"].startswith("customer: ")


def test_an_undecodable_record_is_found_by_its_place_though_it_has_no_id(line: Line) -> None:
    place = line.producer.send_raw("invoice.process", b"k", b"\xffno json", [])
    letter = line.journal.dead_letter(place)
    (account,) = accounts(line, "/".join(map(str, place)))
    assert account["command"]["id"] is None
    assert [each["offset"] for each in account["dead_letters"]] == [letter.offset]
    assert (account["outcome"], account["reason"]) == ("rejected", "undecodable")


def test_what_is_nowhere_is_said_with_the_places_that_were_looked_at(line: Line) -> None:
    ended = run(line, "nobody-knows-this", "-o", "json")
    assert (ended.code, ended.out) == (1, "")
    assert "Nothing was found of nobody-knows-this" in ended.err
    assert "workflow id invoice-nobody-knows-this" in ended.err
    assert "bridge.replies: " in ended.err


def test_a_terminal_gets_a_tree_with_links(line: Line, approved: Approved) -> None:
    ended = run(
        line, approved.process.id, "--temporal-ui", "https://ui.example", "--trace-url", "https://t.example/{trace_id}"
    )
    run_id = approved.end.data["run_id"]
    assert ended.out.startswith(f"invoice.process {approved.process.id}\n")
    assert f"https://ui.example/namespaces/default/workflows/{approved.workflow_id}/{run_id}/history" in ended.out
    assert f"https://t.example/{approved.trace_id}" in ended.out
    assert "workflow.completed in invoice.lifecycle/" in ended.out


def test_a_wrong_question_is_wrong_usage_and_connects_to_nothing_that_is_not_there(line: Line) -> None:
    nowhere = CommandLine(
        line.folder, line.env | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "BRIDGE_CONNECT_TIMEOUT": "1"}
    )
    assert run(line, "\x1b[31m").code == 2
    assert run(line, "x", "--trace-url", "https://t.example/").code == 2
    assert nowhere.run("trace", "x").code == 3

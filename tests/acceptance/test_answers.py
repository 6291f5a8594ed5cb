"""The second answer, `command.done`: who gets one, when, and what it says."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import commands, contract
from tests.acceptance.commands import LARGE, fresh
from tests.acceptance.conftest import ANSWERS, Line
from tests.acceptance.journal import Record
from tests.acceptance.producer import Command, Form, Sent
from tests.docs import pages

ENDED_WITHIN_SECONDS = 60.0


def asking(command: Command, **more: str) -> Command:
    """Return a command that wants to know how its run ends."""
    return dataclasses.replace(command, extensions={**command.extensions, "replywhen": "done", **more})


def done(line: Line, sent: Sent) -> Record:
    """Return the second answer to a record, once it is there; there may be others to copies of its command."""

    def found() -> list[Record]:
        answers = line.journal.events("command.done", cause=sent.id)
        return [one for one in answers if (one.data["topic"], one.data["partition"], one.data["offset"]) == sent.place]

    line.journal.wait_until(lambda: bool(found()), ENDED_WITHIN_SECONDS, lambda: f"the second answer to {sent}")
    (answer,) = found()
    return answer


def answers(line: Line, sent: Sent) -> list[str | None]:
    types = ("command.accepted", "command.duplicate", "command.rejected", "command.done")
    return [record.type for record in line.journal.events(*types, cause=sent.id)]


def check_done(line: Line, sent: Sent, state: str, *, topic: str = "bridge.replies", **told: Any) -> Mapping[str, Any]:
    """Hold the second answer against the record that it answers and the end of its run; return its data."""
    answer = done(line, sent)
    workflow_id = sent.command.workflow_id
    end = line.journal.one(f"workflow.{state}", key=workflow_id)
    assert answer.topic == topic
    assert answer.id == contract.event_id("reply", sent.source, sent.id, "done", *sent.place)
    assert answer.attributes["time"] == contract.time_text(sent.timestamp_ms)
    assert contract.time_text(answer.timestamp_ms) == end.data["closed_at"]
    contract.check_envelope(answer, sent, source=f"/bridge/{contract.GROUP}", key=sent.id, subject=workflow_id)
    expected = {
        "command_id": sent.id,
        "command_source": sent.source,
        "command_type": sent.command.type,
        "time": contract.time_text(sent.timestamp_ms),
        "outcome": "done",
        "workflow_id": workflow_id,
        "run_id": end.data["run_id"],
        "reason": None,
        "detail": None,
        "state": state,
        "closed_at": end.data["closed_at"],
        **told,
    }
    assert {name: answer.data[name] for name in expected} == expected
    return answer.data


@pytest.mark.parametrize("form", ["binary", "structured"])
def test_a_start_is_told_how_its_run_ended(line: Line, form: Form) -> None:
    number = fresh("done")
    sent = line.producer.send(asking(commands.invoice(number), correlationid="order-7"), form)

    told = check_done(line, sent, "completed", failure=None)

    result = told["result"]
    assert (result["invoice_id"], result["status"], result["currency"]) == (number, "sent", "EUR")
    assert Decimal(result["total"]) == Decimal("19.99")
    assert answers(line, sent) == ["command.accepted", "command.done"]


def test_a_start_is_told_that_its_run_was_terminated(line: Line) -> None:
    number = fresh("done")
    sent = line.producer.send(asking(commands.invoice(number, LARGE)))
    line.journal.one("invoice.approval_requested", key=number)

    line.view.terminate(sent.command.workflow_id)

    check_done(line, sent, "terminated", failure={"type": "terminated", "message": "by an operator"}, result=None)


def test_a_signal_is_told_how_the_run_ended_that_it_reached(line: Line) -> None:
    number = fresh("done")
    began = line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)

    sent = line.producer.send(asking(commands.approve("invoice", number)))

    told = check_done(line, sent, "completed")
    assert told["result"]["status"] == "sent"
    assert answers(line, sent) == ["command.accepted", "command.done"]
    assert answers(line, began) == ["command.accepted"]


def test_a_cancel_and_the_start_that_it_undid_are_both_told_that_the_run_is_cancelled(line: Line) -> None:
    number = fresh("done")
    began = line.producer.send(asking(commands.invoice(number, LARGE)))
    line.journal.one("invoice.approval_requested", key=number)

    sent = line.producer.send(asking(commands.cancel("invoice", number)))

    check_done(line, sent, "cancelled", failure=None, result=None)
    check_done(line, began, "cancelled", failure=None, result=None)


@pytest.mark.parametrize("first_asked", [True, False], ids=["both asked", "the second alone asked"])
def test_a_duplicate_is_told_how_the_run_ended_of_the_first_record(line: Line, first_asked: bool) -> None:
    command = asking(commands.invoice(fresh("done")))
    first = line.producer.send(command if first_asked else dataclasses.replace(command, extensions={}))
    line.journal.one("workflow.completed", key=command.workflow_id)

    second = line.producer.send(command)

    check_done(line, second, "completed")
    if first_asked:
        check_done(line, first, "completed")


def test_a_duplicate_of_an_open_run_is_told_when_that_ends(line: Line) -> None:
    number = fresh("done")
    command = asking(commands.invoice(number, LARGE))
    first = line.producer.send(command)
    line.journal.one("invoice.approval_requested", key=number)
    second = line.producer.send(command)
    line.journal.one("command.duplicate", cause=command.id)

    line.producer.send(commands.approve("invoice", number))

    check_done(line, first, "completed")
    check_done(line, second, "completed")


def test_both_answers_go_where_the_command_asks(line: Line) -> None:
    sent = line.producer.send(asking(commands.campaign(fresh("done")), replyto=ANSWERS))

    check_done(line, sent, "completed", topic=ANSWERS)
    assert line.journal.one("command.accepted", cause=sent.id).topic == ANSWERS


def test_a_refused_command_is_answered_once(line: Line) -> None:
    number = fresh("done")
    first = line.producer.send(asking(commands.invoice(number)))
    check_done(line, first, "completed")

    second = line.producer.send(asking(commands.approve("invoice", number)))
    line.journal.one("command.rejected", cause=second.id)

    # What is asked after it has its second answer.
    check_done(line, line.producer.send(asking(commands.invoice(fresh("done")))), "completed")
    assert answers(line, second) == ["command.rejected"]


def test_a_command_that_names_a_forbidden_reply_topic_is_answered_nowhere(line: Line) -> None:
    command = commands.invoice(fresh("done"))
    sent = line.producer.send(asking(command, replyto="lead.events"))
    assert line.journal.dead_letter(sent.place).header("dlq.reason") == "forbidden"

    # A sound one of the same key, in the same partition, comes after it.
    later = line.producer.send(asking(commands.invoice(command.key), replyto=ANSWERS))

    check_done(line, later, "completed", topic=ANSWERS)
    assert line.journal.events(cause=sent.id) == []


def test_the_code_of_the_how_to_is_told_how_its_run_ended(line: Line, tmp_path: Path) -> None:
    script = tmp_path / "ask.py"
    script.write_text(pages.block("docs/how-to/answers.md", "python"))

    told = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": line.kafka.bootstrap},
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * ENDED_WITHIN_SECONDS,
    )

    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("done completed {'invoice_id': 'INV-")
    assert told.stdout.endswith("} None\n")

"""`publish --wait` with the real daemon and the real workers."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.program import Program
from tests.cli.command_line import CommandLine, Ended


@pytest.fixture(scope="module")
def running(
    stack: CommandLine, guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    folder: Path = tmp_path_factory.mktemp("running")
    daemon = Program(guard, folder, stack.environment(), "run")
    worker = Program(guard, folder, stack.environment(), "worker")
    worker.start()
    daemon.start()
    program.wait_for_status(f"http://{stack.env['BRIDGE_ADMIN_ADDRESS']}/readyz", 200, daemon)
    yield stack
    assert [daemon.terminate(), worker.terminate()] == [0, 0], daemon.text[-3000:] + worker.text[-3000:]


def fresh(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:12]}"


def invoice(number: str, quantity: int = 1) -> dict[str, Any]:
    return {
        "invoice_id": number,
        "customer": {"name": "Ann", "email": "ann@example.com"},
        "currency": "EUR",
        "lines": [{"description": "x", "quantity": quantity, "unit_price": "10.50"}],
        "issued_on": "2026-11-01",
        "due_on": "2026-12-01",
    }


def publish(running: CommandLine, topic: str, data: dict[str, Any], *words: str) -> Ended:
    return running.run("publish", topic, "--wait", "-o", "json", *words, stdin=json.dumps(data).encode())


def fate(ended: Ended) -> dict[str, Any]:
    (row,) = ended.rows
    return {name: row[name] for name in ("outcome", "reason", "workflow_id", "state")}


def test_a_start_is_waited_for_until_its_run_has_ended(running: CommandLine) -> None:
    number = fresh("I")
    ended = publish(running, "invoice.process", invoice(number))
    assert fate(ended) == {
        "outcome": "accepted",
        "reason": None,
        "workflow_id": f"invoice-{number}",
        "state": "completed",
    }
    assert ended.code == 0


def test_a_rejected_command_ends_with_its_reply_and_1(running: CommandLine) -> None:
    number = fresh("I")
    publish(running, "invoice.process", invoice(number))
    ended = publish(running, "invoice.process", invoice(number))
    assert fate(ended)["outcome"] == "rejected"
    assert (fate(ended)["reason"], fate(ended)["state"], ended.code) == ("already_done", None, 1)


def test_the_end_of_a_run_that_a_repeated_command_began_is_found_in_the_past(running: CommandLine) -> None:
    number, identifier = fresh("I"), fresh("c")
    publish(running, "invoice.process", invoice(number), "--id", identifier)
    ended = publish(running, "invoice.process", invoice(number), "--id", identifier)
    assert (fate(ended)["outcome"], fate(ended)["state"], ended.code) == ("duplicate", "completed", 0)


def test_a_run_that_is_still_open_at_the_end_of_the_time_is_told(running: CommandLine) -> None:
    ended = publish(running, "invoice.process", invoice(fresh("I"), quantity=10_000), "--timeout", "3")
    assert (fate(ended)["outcome"], fate(ended)["state"], ended.code) == ("accepted", "running", 1)
    assert "1 still running after 3 s" in ended.err


def test_a_signal_and_a_cancel_end_with_the_run_that_they_reached(running: CommandLine) -> None:
    approved, cancelled = fresh("I"), fresh("I")
    for number in (approved, cancelled):
        running.run("publish", "invoice.process", stdin=json.dumps(invoice(number, quantity=10_000)).encode())
    signal = publish(running, "invoice.approve", {"invoice_id": approved, "by": "ann"})
    cancel = publish(running, "invoice.cancel", {"invoice_id": cancelled})
    assert (fate(signal)["state"], signal.code) == ("completed", 0)
    assert (fate(cancel)["state"], cancel.code) == ("cancelled", 0)


def test_a_signal_with_start_ends_with_its_reply(running: CommandLine) -> None:
    data = {"lead_id": fresh("L"), "activities": [{"kind": "page_view", "occurred_at": "2026-11-21T10:00:00Z"}]}
    ended = publish(running, "lead.score", data)
    assert (fate(ended)["outcome"], fate(ended)["state"], ended.code) == ("accepted", "running", 0)


def test_a_dead_letter_is_answered_too(running: CommandLine) -> None:
    ended = publish(running, "lead.score", {"lead_id": "a b"}, "--no-check")
    assert (fate(ended)["outcome"], fate(ended)["reason"], ended.code) == ("rejected", "invalid", 1)


def test_doctor_finds_nothing_to_mend(running: CommandLine) -> None:
    ended = running.run("doctor", "-o", "json")
    of_earlier_commands = {"lag", "lane", "dead letters", "duplicates"}
    assert [row for row in ended.rows if row["status"] != "ok" and row["check"] not in of_earlier_commands] == []
    assert [row for row in ended.rows if row["status"] == "fail"] == []
    assert ended.code == 0
    assert {row["check"] for row in ended.rows} >= {"kafka", "topics", "temporal", "namespace", "task queue", "smtp"}

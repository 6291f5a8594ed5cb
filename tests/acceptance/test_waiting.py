"""Commands that come before the run that they are meant for."""

import json

from tests.acceptance import commands, contract
from tests.acceptance.commands import LARGE, fresh
from tests.acceptance.conftest import Line

NEVER_WITHIN_SECONDS = 120.0


def test_an_approval_before_its_invoice_waits_and_then_works(line: Line) -> None:
    number = fresh("early")
    approve = line.producer.send(commands.approve("invoice", number))
    # The approval was read before the lead below gets its answer, since it was there first and both were read.
    marker = line.producer.send(commands.lead(fresh("marker")))
    line.journal.one("command.accepted", cause=marker.id)
    assert line.journal.events(cause=approve.id) == []
    line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("workflow.completed", key=f"invoice-{number}")
    line.journal.one("command.accepted", cause=approve.id)
    line.journal.one("invoice.approved", cause=approve.id)


def test_an_approval_of_an_invoice_that_never_comes_is_target_missing_after_a_minute(line: Line) -> None:
    record = line.journal.dead_letter(line.never.place, NEVER_WITHIN_SECONDS)
    assert record.header("dlq.reason") == "target_missing"
    assert record.value == json.dumps(line.never.command.data).encode()
    reply = line.journal.one("command.rejected", cause=line.never.id)
    contract.check_reply(reply, line.never, "rejected", reason="target_missing")
    assert record.timestamp_ms - line.never.timestamp_ms >= 60_000

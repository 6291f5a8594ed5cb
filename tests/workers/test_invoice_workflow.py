"""The invoice's run from command to row, on Temporal's time-skipping server with a real mail server and SQLite."""

import asyncio
import io
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError

from tests.workers import commands
from tests.workers.stage import Stage, state
from topics.envelope import Command
from topics.invoice import InvoiceProcess
from workers import schema
from workers.invoice.models import InvoiceResult
from workers.invoice.workflow import InvoiceProcessing

OVER_THE_LIMIT = "20000.00"

Run = WorkflowHandle[InvoiceProcessing, InvoiceResult]


async def start(stage: Stage, command: Command[InvoiceProcess] | None = None, **fields: Any) -> Run:
    command = command or commands.command("invoice.process", commands.invoice(**fields))
    workflow_id = f"invoice-{command.data.invoice_id}"
    return await stage.client.start_workflow(InvoiceProcessing.run, command, id=workflow_id, task_queue="finance")


async def status(run: Run) -> str:
    return (await run.query(InvoiceProcessing.status)).status


async def test_an_invoice_is_validated_sent_and_recorded(stage: Stage) -> None:
    async with stage.working("finance"):
        result = await (await start(stage)).result()
    assert stage.types == ["invoice.validated", "invoice.sent", "invoice.recorded"]
    assert result.status == "sent"


async def test_a_sent_invoice_has_one_row_with_its_total(stage: Stage) -> None:
    async with stage.working("finance"):
        await (await start(stage)).result()
    rows = [(row.invoice_id, row.total, row.currency, row.status) for row in await stage.rows()]
    assert rows == [("INV-1", Decimal("119.00"), "EUR", "sent")]


async def test_the_mail_holds_a_pdf_with_id_lines_and_total(stage: Stage) -> None:
    async with stage.working("finance"):
        await (await start(stage)).result()
    (message,) = stage.inbox.messages
    (attachment,) = message.iter_attachments()
    text = PdfReader(io.BytesIO(attachment.get_content())).pages[0].extract_text()
    assert message["To"] == "Ada Lovelace <ada@example.com>"
    assert [piece for piece in ("INV-1", "Consulting", "Total: 119.00 EUR") if piece not in text] == []


async def test_a_huge_total_keeps_every_digit(stage: Stage) -> None:
    price = "123456789012345678.123456789"
    async with stage.working("finance"):
        run = await start(stage, price=price)
        await run.signal(InvoiceProcessing.approve, commands.command("invoice.approve", commands.decision()))
        result = await run.result()
    assert result.total == Decimal("146913578924691356.97")


async def test_an_invoice_over_the_limit_waits_for_approval(stage: Stage) -> None:
    async with stage.working("finance"):
        run = await start(stage, price=OVER_THE_LIMIT)
        await stage.told("invoice.approval_requested")
        waiting = await status(run)
        mails_while_waiting = len(stage.inbox.messages)
        await run.signal(InvoiceProcessing.approve, commands.command("invoice.approve", commands.decision()))
        await run.result()
    assert (waiting, mails_while_waiting) == ("awaiting_approval", 0)
    assert stage.types == [
        "invoice.validated",
        "invoice.approval_requested",
        "invoice.approved",
        "invoice.sent",
        "invoice.recorded",
    ]


async def test_a_total_that_equals_the_limit_needs_no_approval(stage: Stage) -> None:
    line = {"description": "A", "quantity": "1", "unit_price": "10000"}
    async with stage.working("finance"):
        await (await start(stage, lines=[line])).result()
    assert "invoice.approval_requested" not in stage.types


async def test_an_approval_that_comes_before_it_is_asked_for_counts(stage: Stage) -> None:
    run = await start(stage, price=OVER_THE_LIMIT)
    await run.signal(InvoiceProcessing.approve, commands.command("invoice.approve", commands.decision()))
    async with stage.working("finance"):
        result = await run.result()
    assert result.status == "sent"


async def test_a_refused_invoice_is_rejected_and_completes(stage: Stage) -> None:
    no = commands.decision(approved=False, comment="No such order.")
    async with stage.working("finance"):
        run = await start(stage, price=OVER_THE_LIMIT)
        await run.signal(InvoiceProcessing.approve, commands.command("invoice.approve", no))
        result = await run.result()
        answer = await status(run)
    assert (result.status, answer, await state(run)) == ("rejected", "rejected", "COMPLETED")
    assert stage.types[-1] == "invoice.rejected"
    assert stage.events("reason")[-1] == "No such order."
    assert stage.inbox.messages == []
    assert [row.status for row in await stage.rows()] == ["rejected"]


async def test_the_first_decision_counts(stage: Stage) -> None:
    no = commands.decision(approved=False)
    async with stage.working("finance"):
        run = await start(stage, price=OVER_THE_LIMIT)
        await run.signal(InvoiceProcessing.approve, commands.command("invoice.approve", no))
        await run.signal(InvoiceProcessing.approve, commands.command("invoice.approve", commands.decision()))
        result = await run.result()
    assert result.status == "rejected"


async def test_a_cancelled_invoice_sends_nothing_and_closes_as_cancelled(stage: Stage) -> None:
    async with stage.working("finance"):
        run = await start(stage, price=OVER_THE_LIMIT)
        await stage.told("invoice.approval_requested")
        await run.cancel(reason="Sent by mistake.")
        with pytest.raises(WorkflowFailureError) as failure:
            await run.result()
        answer = await status(run)
    assert isinstance(failure.value.cause, CancelledError)
    assert (await state(run), answer) == ("CANCELED", "cancelled")
    assert stage.events("ce_type", "reason")[-1] == ("invoice.cancelled", "Sent by mistake.")
    assert (stage.inbox.messages, await stage.rows()) == ([], [])


async def test_an_invoice_cancelled_before_its_first_step_tells_of_it(stage: Stage) -> None:
    run = await start(stage)
    await run.cancel()
    async with stage.working("finance"):
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert (stage.types, await state(run)) == (["invoice.cancelled"], "CANCELED")


async def test_a_cancel_that_comes_while_the_mail_is_under_way_lets_it_through(stage: Stage) -> None:
    stage.inbox.hold = asyncio.Event()
    async with stage.working("finance"):
        run = await start(stage)
        await stage.until(stage.inbox.taking.is_set)
        await run.cancel()
        stage.inbox.hold.set()
        result = await run.result()
    assert (result.status, await state(run)) == ("sent", "COMPLETED")
    assert stage.types == ["invoice.validated", "invoice.sent", "invoice.recorded"]


async def test_a_cancel_counts_where_the_mail_under_way_fails_for_good(stage: Stage) -> None:
    stage.inbox.hold = asyncio.Event()
    stage.inbox.replies = ["554 Not here"]
    async with stage.working("finance"):
        run = await start(stage)
        await stage.until(stage.inbox.taking.is_set)
        await run.cancel()
        stage.inbox.hold.set()
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert (stage.types, await state(run)) == (["invoice.validated", "invoice.cancelled"], "CANCELED")


async def test_a_mail_server_that_fails_four_times_delays_the_invoice(stage: Stage) -> None:
    stage.inbox.replies = ["451 Try later"] * 4
    async with stage.working("finance"):
        result = await (await start(stage)).result()
    assert (result.status, len(stage.inbox.attempted), len(stage.inbox.messages)) == ("sent", 5, 1)


async def test_a_mail_server_that_fails_five_times_fails_the_invoice(stage: Stage) -> None:
    stage.inbox.replies = ["451 Try later"] * 5
    async with stage.working("finance"):
        run = await start(stage)
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert (stage.types, stage.inbox.messages, await state(run)) == (["invoice.validated"], [], "FAILED")


async def test_a_mail_that_is_refused_for_good_is_not_sent_again(stage: Stage) -> None:
    stage.inbox.refused["ada@example.com"] = "550 No such user"
    async with stage.working("finance"):
        run = await start(stage)
        with pytest.raises(WorkflowFailureError) as failure:
            await run.result()
    cause = failure.value.cause.__cause__
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == (
        "MailRefusedError",
        "The mail server refused the mail: 550 No such user",
    )


async def test_kafka_away_for_long_repeats_neither_mail_nor_row_and_fails_nothing(stage: Stage) -> None:
    stage.emitter.away = 40
    async with stage.working("finance"):
        result = await (await start(stage)).result()
    assert (result.status, len(stage.inbox.messages), len(await stage.rows())) == ("sent", 1, 1)
    assert stage.types == ["invoice.validated", "invoice.sent", "invoice.recorded"]


async def test_every_attempt_at_a_mail_has_the_message_id_that_the_event_tells(stage: Stage) -> None:
    stage.inbox.replies = ["451 Try later"]
    async with stage.working("finance"):
        await (await start(stage)).result()
    (told,) = {message_id for message_id in stage.events("message_id") if message_id}
    assert stage.inbox.attempted == [told, told]


async def test_the_event_tells_whom_the_mail_went_to(stage: Stage) -> None:
    async with stage.working("finance"):
        await (await start(stage)).result()
    assert stage.events("ce_type", "to")[1] == ("invoice.sent", "ada@example.com")


async def test_events_carry_the_business_id_and_the_run(stage: Stage) -> None:
    async with stage.working("finance"):
        run = await start(stage)
        await run.result()
    told = set(stage.events("invoice_id", "workflow_id", "run_id", "ce_subject", "ce_partitionkey", "ce_source"))
    assert told == {("INV-1", "invoice-INV-1", run.first_execution_run_id, "INV-1", "INV-1", "/workers/finance")}


async def test_totals_in_events_are_strings(stage: Stage) -> None:
    async with stage.working("finance"):
        await (await start(stage)).result()
    assert stage.events("total", "currency")[0] == ("119.00", "EUR")


async def test_the_approval_is_caused_by_its_own_command_and_the_rest_by_the_start(stage: Stage) -> None:
    process = commands.command("invoice.process", commands.invoice(price=OVER_THE_LIMIT), id="start")
    approve = commands.command("invoice.approve", commands.decision(), id="yes", correlationid="case-7")
    async with stage.working("finance"):
        run = await start(stage, process)
        await run.signal(InvoiceProcessing.approve, approve)
        await run.result()
    assert stage.events("ce_type", "ce_causationid", "ce_correlationid") == [
        ("invoice.validated", "start", "start"),
        ("invoice.approval_requested", "start", "start"),
        ("invoice.approved", "yes", "case-7"),
        ("invoice.sent", "start", "start"),
        ("invoice.recorded", "start", "start"),
    ]


async def test_a_duplicate_of_an_approval_changes_nothing(stage: Stage) -> None:
    approve = commands.command("invoice.approve", commands.decision(), id="yes")
    async with stage.working("finance"):
        run = await start(stage, price=OVER_THE_LIMIT)
        await run.signal(InvoiceProcessing.approve, approve)
        await run.signal(InvoiceProcessing.approve, approve)
        await run.result()
    assert stage.types.count("invoice.approved") == 1


async def test_a_database_that_fails_for_good_fails_the_run_and_a_cancel_does_not_hide_it(stage: Stage) -> None:
    async with stage.database.engine.begin() as connection:
        await connection.run_sync(schema.invoices.drop)
    stage.inbox.hold = asyncio.Event()
    async with stage.working("finance"):
        run = await start(stage)
        await stage.until(stage.inbox.taking.is_set)
        await run.cancel()
        stage.inbox.hold.set()
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert (stage.types, await state(run)) == (["invoice.validated", "invoice.sent"], "FAILED")


async def test_a_run_goes_on_from_its_history_alone(stage: Stage) -> None:
    approve = commands.command("invoice.approve", commands.decision())
    run = await start(stage, price=OVER_THE_LIMIT)
    await run.signal(InvoiceProcessing.approve, approve)
    async with stage.working("finance", max_cached_workflows=0):
        result = await run.result()
    assert (result.status, len(stage.types)) == ("sent", 5)

"""Invoices: approval, paper, mail, database."""

import io
import sqlite3
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pypdf
import pytest

from tests.acceptance import commands
from tests.acceptance.commands import LARGE, fresh
from tests.acceptance.conftest import Line

# Half a cent goes up, line by line: to even, or rounded at the end, the sum would be another.
LINES = [
    {"description": "Punched cards", "quantity": 3, "unit_price": "0.335"},
    {"description": "Brass cogs, polished", "quantity": "2.5", "unit_price": 4000, "tax_rate": 0.19},
    {"description": "Oil", "quantity": 1, "unit_price": "0.125"},
]
TOTAL = Decimal("1.01") + Decimal("11900.00") + Decimal("0.13")


def mails(line: Line, number: str) -> list[EmailMessage]:
    return [mail for mail in line.mail.messages() if mail["To"] and number in str(mail["To"])]


def paper(mail: EmailMessage) -> str:
    (pdf,) = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    content: Any = pdf.get_content()
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def rows(line: Line, number: str) -> list[tuple[str, Decimal, str, str]]:
    database = sqlite3.connect(line.database)
    try:
        found = database.execute(
            "select invoice_id, total, currency, status from invoices where invoice_id = ?", (number,)
        ).fetchall()
    finally:
        database.close()
    return [(name, Decimal(total), currency, status) for name, total, currency, status in found]


def test_an_approved_invoice_is_mailed_as_pdf_with_the_right_total(line: Line) -> None:
    number = fresh("inv")
    line.producer.send(commands.invoice(number, lines=LINES))
    requested = line.journal.one("invoice.approval_requested", key=number)
    assert Decimal(requested.data["total"]) == TOTAL
    assert line.view.query(f"invoice-{number}", "status") == {"status": "awaiting_approval"}
    assert mails(line, number) == []
    line.producer.send(commands.approve("invoice", number))
    line.journal.one("workflow.completed", key=f"invoice-{number}")

    (mail,) = mails(line, number)
    text = paper(mail)
    shown = (number, f"{TOTAL} EUR", *(str(row["description"]) for row in LINES))
    assert [word for word in shown if word not in text] == []
    sent = line.journal.one("invoice.sent", key=number).data
    assert (sent["to"], sent["message_id"]) == (f"{number}@example.com", mail["Message-ID"])
    recorded = line.journal.one("invoice.recorded", key=number).data
    assert (recorded["total"], recorded["currency"]) == (str(TOTAL), "EUR")
    assert rows(line, number) == [(number, TOTAL, "EUR", "sent")]
    assert line.view.query(f"invoice-{number}", "status") == {"status": "sent"}


def test_a_refused_invoice_is_rejected_and_nothing_is_sent(line: Line) -> None:
    number = fresh("inv")
    started = line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    line.producer.send(commands.approve("invoice", number, approved=False, comment="Never ordered."))
    line.journal.one("workflow.completed", key=f"invoice-{number}")

    assert line.journal.one("invoice.rejected", key=number).data["reason"] == "Never ordered."
    run_id = line.journal.one("command.accepted", cause=started.id).data["run_id"]
    assert line.view.result(f"invoice-{number}", run_id)["status"] == "rejected"
    assert line.view.query(f"invoice-{number}", "status") == {"status": "rejected"}
    assert mails(line, number) == []
    assert [row[3] for row in rows(line, number)] == ["rejected"]
    assert line.journal.events("invoice.sent", "invoice.recorded", "invoice.approved", key=number) == []


def test_a_cancelled_invoice_sends_nothing_and_closes_as_cancelled(line: Line) -> None:
    number = fresh("inv")
    line.producer.send(commands.invoice(number, LARGE))
    line.journal.one("invoice.approval_requested", key=number)
    line.producer.send(commands.cancel("invoice", number, reason="Sent by mistake."))
    line.journal.one("workflow.cancelled", key=f"invoice-{number}")

    assert line.journal.one("invoice.cancelled", key=number).data["reason"] == "Sent by mistake."
    assert [status for _, status in line.view.runs_of(f"invoice-{number}").values()] == ["CANCELED"]
    assert line.view.query(f"invoice-{number}", "status") == {"status": "cancelled"}
    assert mails(line, number) == []
    assert [row[3] for row in rows(line, number) if row[3] != "cancelled"] == []


@pytest.mark.parametrize(
    ("currency", "price", "total"),
    [("JPY", "10000.5", "10001"), ("KWD", "9999.9995", "10000.000"), ("EUR", "10000.00", "10000.00")],
)
def test_a_total_has_the_digits_of_its_currency(line: Line, currency: str, price: str, total: str) -> None:
    number = fresh("inv")
    line.producer.send(commands.invoice(number, price, currency=currency))
    validated = line.journal.one("invoice.validated", key=number).data
    assert (validated["total"], validated["currency"]) == (total, currency)


@pytest.mark.parametrize(("price", "waits"), [("10000.00", False), ("10000.01", True)])
def test_only_a_total_that_exceeds_the_limit_waits(line: Line, price: str, waits: bool) -> None:
    number = fresh("inv")
    line.producer.send(commands.invoice(number, price))
    if waits:
        line.journal.one("invoice.approval_requested", key=number)
        line.producer.send(commands.approve("invoice", number))
    line.journal.one("workflow.completed", key=f"invoice-{number}")
    assert len(line.journal.events("invoice.approval_requested", key=number)) == int(waits)
    assert len(mails(line, number)) == 1


def test_digits_of_money_are_never_floats(line: Line) -> None:
    number = fresh("inv")
    value = '{"invoice_id": "%s", "customer": {"name": "Ada", "email": "%s@example.com"}, "currency": "EUR",'
    rest = '"lines": [{"description": "x", "quantity": 1, "unit_price": 123456789012345678.99}],'
    text = value % (number, number) + rest + '"issued_on": "2026-01-02", "due_on": "2026-01-02"}'
    line.producer.send_raw("invoice.process", number.encode(), text.encode(), [])
    requested = line.journal.one("invoice.approval_requested", key=number)
    assert requested.data["total"] == "123456789012345678.99"
    line.producer.send(commands.cancel("invoice", number))
    line.journal.one("workflow.cancelled", key=f"invoice-{number}")

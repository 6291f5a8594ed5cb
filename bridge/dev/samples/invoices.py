"""Invoices: one that needs no approval, one that gets it, one that does not, one cancelled while it waits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bridge.dev.samples.sample import Sample, Step, outcomes
from topics import invoice
from topics.fields import Model
from topics.tables import INVOICE

CUSTOMER = invoice.Customer(name="Ada Lovelace", email="ada@example.com")
CENT = Decimal("0.01")
WAITS = "invoice.approval_requested"
DONE = ("invoice.validated", "invoice.sent", "invoice.recorded")


def samples(stamp: str, approval_over: Decimal) -> tuple[Sample, ...]:
    """Return the invoices; `approval_over` is the limit above which the workers ask for approval."""
    small, large = (approval_over / 2).quantize(CENT), approval_over + 1000
    approved, refused, cancelled = (f"{name}-{stamp}" for name in ("approved", "refused", "cancelled"))
    approve = invoice.InvoiceApprove(invoice_id=approved, by="cfo@example.com", comment="Well worth it.")
    refuse = invoice.InvoiceApprove(invoice_id=refused, by="cfo@example.com", approved=False, comment="No order.")
    cancel = invoice.InvoiceCancel(invoice_id=cancelled, reason="Sent by mistake.")
    return (
        _sample("invoice under the limit", f"small-{stamp}", small, outcomes(*DONE)),
        _sample(
            "invoice over the limit, approved",
            approved,
            large,
            outcomes(*DONE, WAITS, "invoice.approved", commands=2),
            ("invoice.approve", approve),
        ),
        _sample(
            "invoice over the limit, refused",
            refused,
            large,
            outcomes("invoice.validated", WAITS, "invoice.rejected", commands=2),
            ("invoice.approve", refuse),
        ),
        _sample(
            "invoice cancelled while it waits",
            cancelled,
            large,
            outcomes("invoice.validated", WAITS, "invoice.cancelled", commands=2, end="workflow.cancelled"),
            ("invoice.cancel", cancel),
        ),
    )


def _sample(
    title: str, number: str, price: Decimal, expected: dict[str, int], answer: tuple[str, Model] | None = None
) -> Sample:
    steps = (Step("invoice.process", _invoice(number, price)), *((Step(*answer, after=WAITS),) if answer else ()))
    return Sample(title, INVOICE.name, number, steps, expected)


def _invoice(number: str, price: Decimal) -> invoice.InvoiceProcess:
    today = datetime.now(UTC).date()
    return invoice.InvoiceProcess(
        invoice_id=number,
        customer=CUSTOMER,
        currency="EUR",
        lines=(
            invoice.Line(description="Analytical engine, one month", quantity=Decimal(1), unit_price=price),
            invoice.Line(description="Punched cards, free of charge", quantity=Decimal(100), unit_price=Decimal(0)),
        ),
        issued_on=today,
        due_on=today + timedelta(days=30),
    )

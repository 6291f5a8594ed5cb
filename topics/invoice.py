"""The invoice domain: its commands and the events that its workflow emits."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictStr, model_validator

from topics.fields import BusinessId, Currency, Day, Email, Model, Number, Text, at_most


class Customer(Model):
    """Who gets the invoice."""

    name: Text
    email: Email


class Line(Model):
    """One position: `quantity` x `unit_price`, plus tax at `tax_rate` (0.19 is 19 %)."""

    description: Text
    quantity: Annotated[Number, Field(gt=0)]
    unit_price: Annotated[Number, Field(ge=0)]
    tax_rate: Annotated[Number, Field(ge=0, le=1)] = Decimal(0)


class InvoiceProcess(Model):
    """Total, approve if needed, send and record an invoice."""

    invoice_id: BusinessId
    customer: Customer
    currency: Currency
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=500), at_most(500)]
    issued_on: Day
    due_on: Day
    note: StrictStr | None = None

    @model_validator(mode="after")
    def _due_not_before_issued(self) -> Self:
        if self.due_on < self.issued_on:
            raise ValueError("due_on is before issued_on")
        return self


class InvoiceApprove(Model):
    """Approve an invoice that waits for it, or refuse it with `approved` false."""

    invoice_id: BusinessId
    by: Text
    approved: StrictBool = True
    comment: StrictStr | None = None


class InvoiceCancel(Model):
    """Cancel an invoice that is not sent yet."""

    invoice_id: BusinessId
    reason: StrictStr | None = None


class InvoiceEvent(Model):
    """What every event of an invoice tells."""

    invoice_id: str
    workflow_id: str
    run_id: str


class InvoiceValidated(InvoiceEvent):
    """The invoice was totalled."""

    total: Decimal
    currency: str


class InvoiceApprovalRequested(InvoiceEvent):
    """The total exceeds the limit: the run waits for `invoice.approve`."""

    total: Decimal
    currency: str
    limit: Decimal


class InvoiceApproved(InvoiceEvent):
    """A person approved the invoice."""

    by: str
    comment: str | None = None


class InvoiceRejected(InvoiceEvent):
    """A person refused the invoice; the run completes."""

    by: str
    reason: str | None = None


class InvoiceSent(InvoiceEvent):
    """The mail server accepted the mail with the PDF."""

    to: str
    message_id: str


class InvoiceRecorded(InvoiceEvent):
    """The invoice is in the database, one row an invoice id."""

    total: Decimal
    currency: str


class InvoiceCancelled(InvoiceEvent):
    """The invoice was cancelled before it was sent."""

    reason: str | None = None

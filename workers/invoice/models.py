"""What goes into the steps of an invoice and comes out of them."""

from decimal import Decimal
from typing import Literal

from topics.fields import Model
from topics.invoice import InvoiceProcess

Status = Literal["validating", "awaiting_approval", "sending", "sent", "rejected", "cancelled"]


class InvoiceStatus(Model):
    """The answer to the query `status`."""

    status: Status


class LineTotal(Model):
    """What one line comes to; `net` + `tax` = `gross`."""

    net: Decimal
    tax: Decimal
    gross: Decimal


class Totals(Model):
    """What an invoice comes to, and the limit over which a person must approve it."""

    lines: tuple[LineTotal, ...]
    net: Decimal
    tax: Decimal
    total: Decimal
    currency: str
    approval_over: Decimal

    @property
    def needs_approval(self) -> bool:
        """Whether the total exceeds the limit."""
        return self.total > self.approval_over


class Sending(Model):
    """The invoice to send, with the totals that were approved."""

    invoice: InvoiceProcess
    totals: Totals


class Sent(Model):
    """Whom the mail went to; `message_id` is the mail's Message-ID."""

    to: str
    message_id: str


class Recording(Model):
    """The row to write for an invoice."""

    invoice_id: str
    customer_name: str
    customer_email: str
    total: Decimal
    currency: str
    status: Literal["sent", "rejected"]
    message_id: str | None = None


class InvoiceResult(Model):
    """How the run ended."""

    invoice_id: str
    status: Status
    total: Decimal
    currency: str
    message_id: str | None = None

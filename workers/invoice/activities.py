"""The steps of an invoice that touch the world."""

import asyncio
from decimal import Decimal

from temporalio import activity

from topics.invoice import InvoiceProcess
from workers.database import Database
from workers.invoice import mail, records, totals
from workers.invoice.models import Recording, Sending, Sent, Totals
from workers.mail import Mailer


class InvoiceActivities:
    """Each may be tried again at any point: a copy of a mail has the same Message-ID, a row is written over."""

    def __init__(self, *, approval_over: Decimal, mailer: Mailer, database: Database) -> None:
        """Take the limit over which a person approves, and where mails and rows go."""
        self._approval_over = approval_over
        self._mailer = mailer
        self._database = database

    @activity.defn
    async def total_invoice(self, invoice: InvoiceProcess) -> Totals:
        """Return what the invoice comes to, and the limit: the workflow learns it from history only."""
        return totals.total(invoice, self._approval_over)

    @activity.defn
    async def send_invoice(self, sending: Sending) -> Sent:
        """Render the PDF and send it; raises `MailRefusedError` if the mail server refuses for good."""
        info = activity.info()
        sender = self._mailer.server.sender
        message_id = mail.message_id(str(info.workflow_id), str(info.workflow_run_id), sender)
        document = await asyncio.to_thread(_render, sending)
        message = mail.compose(sending, document, sender=sender, message_id=message_id, date=info.scheduled_time)
        await self._mailer.send(message)
        return Sent(to=sending.invoice.customer.email, message_id=message_id)

    @activity.defn
    async def record_invoice(self, recording: Recording) -> None:
        """Write the invoice's row, one an invoice id."""
        await self._database.run(records.save, recording)


def _render(sending: Sending) -> bytes:
    # Here, as the PDF library takes a second to import, and a worker is ready the sooner without it.
    from workers.invoice import pdf  # noqa: PLC0415

    return pdf.render(sending.invoice, sending.totals)

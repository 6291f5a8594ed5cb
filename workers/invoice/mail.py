"""The mail that carries an invoice."""

import hashlib
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from workers import mail
from workers.invoice.models import Sending
from workers.invoice.totals import plain
from workers.sdk import ids


def compose(sending: Sending, document: bytes, *, sender: str, message_id: str, date: datetime) -> EmailMessage:
    """Return the mail; with the same arguments it is the same, byte for byte."""
    invoice, totals = sending.invoice, sending.totals
    subject = f"Invoice {invoice.invoice_id}"
    message = mail.new_message(sender, invoice.customer.name, invoice.customer.email, subject)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id
    message.set_content(
        f"Dear {mail.one_line(invoice.customer.name)[: mail.HEADER_CHARACTERS_MAX]},\n\n"
        f"please find attached invoice {invoice.invoice_id} over {plain(totals.total)} {totals.currency}, "
        f"due on {invoice.due_on.isoformat()}.\n"
    )
    file_name = f"invoice-{invoice.invoice_id.replace(':', '-')}.pdf"
    message.add_attachment(document, maintype="application", subtype="pdf", filename=file_name)
    message.set_boundary(hashlib.sha256(message_id.encode()).hexdigest()[:32])
    return message


def message_id(workflow_id: str, run_id: str, sender: str) -> str:
    """Return the Message-ID of a run's mail: a retry that sends a copy gives it the same, which receivers recognise."""
    return f"<{ids.event_id('mail', workflow_id, run_id)}@{sender.rpartition('@')[2]}>"

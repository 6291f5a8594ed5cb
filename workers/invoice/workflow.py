"""From `invoice.process` to a mail in the customer's inbox and a row in the database."""

import asyncio
from typing import Literal

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from topics import invoice as events
    from topics.envelope import Command
    from topics.invoice import InvoiceApprove, InvoiceProcess
    from workers import announcement, cancellation, policies
    from workers.invoice.activities import InvoiceActivities
    from workers.invoice.models import InvoiceResult, InvoiceStatus, Recording, Sending, Sent, Status, Totals
    from workers.sdk import Seen, acting_for


@workflow.defn
class InvoiceProcessing:
    """Total, approve if needed, send, record. Each step is told to Kafka before the next begins.

    A cancel takes effect until sending begins. From then on the run goes to its end, as nobody can say of a mail
    under way that it was not sent: the mail gets through and the run completes, or it does not and the run is
    cancelled.
    """

    def __init__(self) -> None:
        """Begin as every run does."""
        self._status: Status = "validating"
        self._decision: Command[InvoiceApprove] | None = None
        self._sent: Sent | None = None
        self._seen = Seen()

    @workflow.run
    async def run(self, command: Command[InvoiceProcess]) -> InvoiceResult:
        """Take the invoice to its end."""
        with acting_for(command):
            try:
                return await self._process(command.data)
            except (asyncio.CancelledError, ActivityError) as error:
                if self._sent is not None or not cancellation.requested():
                    raise
                # Either the cancel ended a step, or the mail failed for good after it came: nothing was sent.
                await self._cancelled(command.data)
                if is_cancelled_exception(error):
                    raise
                raise asyncio.CancelledError from error

    @workflow.signal
    def approve(self, command: Command[InvoiceApprove]) -> None:
        """Take a person's decision; the first one counts."""
        if self._seen.add(command.source, command.id) and self._decision is None:
            self._decision = command

    @workflow.query
    def status(self) -> InvoiceStatus:
        """Tell how far the invoice is."""
        return InvoiceStatus(status=self._status)

    async def _process(self, invoice: InvoiceProcess) -> InvoiceResult:
        totals = await workflow.execute_activity_method(
            InvoiceActivities.total_invoice, invoice, **policies.INVOICE_STEP
        )
        await announcement.announce(
            events.InvoiceValidated(**_whose(invoice), total=totals.total, currency=totals.currency)
        )
        if totals.needs_approval and not await self._approved(invoice, totals):
            self._status = "rejected"
            return self._result(invoice, totals)
        self._status = "sending"
        return await cancellation.to_its_end(self._send(Sending(invoice=invoice, totals=totals)))

    async def _approved(self, invoice: InvoiceProcess, totals: Totals) -> bool:
        self._status = "awaiting_approval"
        await announcement.announce(
            events.InvoiceApprovalRequested(
                **_whose(invoice), total=totals.total, currency=totals.currency, limit=totals.approval_over
            )
        )
        await workflow.wait_condition(lambda: self._decision is not None)
        assert self._decision is not None  # noqa: S101 -- for mypy: that is what was waited for
        decision = self._decision.data
        with acting_for(self._decision):
            if decision.approved:
                await announcement.announce(
                    events.InvoiceApproved(**_whose(invoice), by=decision.by, comment=decision.comment)
                )
            else:
                await self._record(invoice, totals, "rejected")
                await announcement.announce(
                    events.InvoiceRejected(**_whose(invoice), by=decision.by, reason=decision.comment)
                )
        return decision.approved

    async def _send(self, sending: Sending) -> InvoiceResult:
        invoice, totals = sending.invoice, sending.totals
        self._sent = await workflow.execute_activity_method(
            InvoiceActivities.send_invoice, sending, **policies.INVOICE_STEP
        )
        self._status = "sent"
        await announcement.announce(
            events.InvoiceSent(**_whose(invoice), to=self._sent.to, message_id=self._sent.message_id)
        )
        await self._record(invoice, totals, "sent")
        await announcement.announce(
            events.InvoiceRecorded(**_whose(invoice), total=totals.total, currency=totals.currency)
        )
        return self._result(invoice, totals)

    async def _record(self, invoice: InvoiceProcess, totals: Totals, status: Literal["sent", "rejected"]) -> None:
        recording = Recording(
            invoice_id=invoice.invoice_id,
            customer_name=invoice.customer.name,
            customer_email=invoice.customer.email,
            total=totals.total,
            currency=totals.currency,
            status=status,
            message_id=None if self._sent is None else self._sent.message_id,
        )
        await workflow.execute_activity_method(InvoiceActivities.record_invoice, recording, **policies.INVOICE_STEP)

    async def _cancelled(self, invoice: InvoiceProcess) -> None:
        self._status = "cancelled"
        await announcement.announce(events.InvoiceCancelled(**_whose(invoice), reason=cancellation.reason()))

    def _result(self, invoice: InvoiceProcess, totals: Totals) -> InvoiceResult:
        return InvoiceResult(
            invoice_id=invoice.invoice_id,
            status=self._status,
            total=totals.total,
            currency=totals.currency,
            message_id=None if self._sent is None else self._sent.message_id,
        )


def _whose(invoice: InvoiceProcess) -> dict[str, str]:
    info = workflow.info()
    return {"invoice_id": invoice.invoice_id, "workflow_id": info.workflow_id, "run_id": info.run_id}

"""Commands as the tests send them."""

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payload

from topics.campaign import Budget, CampaignApprove, CampaignCreate
from topics.envelope import Command
from topics.fields import Model
from topics.invoice import Customer, InvoiceApprove, InvoiceProcess, Line
from topics.lead import LeadActivity, LeadScore

SOURCE = "/tests"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Data = TypeVar("Data", bound=Model)

_numbers = itertools.count(1)


def command(kind: str, data: Data, **attributes: Any) -> Command[Data]:
    """Return a command with an id of its own, unless `attributes` says otherwise."""
    given = {"id": f"command-{next(_numbers)}", "source": SOURCE, "type": kind, "data": data} | attributes
    generic: Any = Command  # the type of its data is known at run time only
    made: Command[Data] = generic[type(data)](**given)
    return made


def invoice(invoice_id: str = "INV-1", price: str = "100.00", **fields: Any) -> InvoiceProcess:
    """Return an invoice over one line of `price` plus 19 % tax."""
    line = Line(description="Consulting", quantity=Decimal(1), unit_price=Decimal(price), tax_rate=Decimal("0.19"))
    given = {
        "invoice_id": invoice_id,
        "customer": Customer(name="Ada Lovelace", email="ada@example.com"),
        "currency": "EUR",
        "lines": (line,),
        "issued_on": date(2026, 11, 1),
        "due_on": date(2026, 12, 1),
    }
    return InvoiceProcess.model_validate(given | fields)


def decision(invoice_id: str = "INV-1", *, approved: bool = True, comment: str | None = None) -> InvoiceApprove:
    """Return a person's word on an invoice."""
    return InvoiceApprove(invoice_id=invoice_id, by="grace@example.com", approved=approved, comment=comment)


def campaign(campaign_id: str = "C-1", **fields: Any) -> CampaignCreate:
    """Return a campaign on `social`."""
    given = {
        "campaign_id": campaign_id,
        "name": "Spring sale",
        "brief": "Everything is cheaper in spring.",
        "channels": ("social",),
        "budget": Budget(amount=Decimal("500.00"), currency="EUR"),
        "starts_on": date(2026, 3, 1),
        "ends_on": date(2026, 3, 31),
    }
    return CampaignCreate.model_validate(given | fields)


def campaign_decision(campaign_id: str = "C-1", *, approved: bool = True) -> CampaignApprove:
    """Return a person's word on a campaign."""
    return CampaignApprove(campaign_id=campaign_id, by="grace@example.com", approved=approved, comment="Fine.")


def lead(lead_id: str = "L-1", *kinds: str, at: datetime | None = None, **fields: Any) -> LeadScore:
    """Return a lead's activities of `kinds`, long ago unless `at` says when."""
    when = at or datetime(2020, 1, 1, tzinfo=UTC)
    activities = tuple(LeadActivity.model_validate({"kind": kind, "occurred_at": when}) for kind in kinds)
    return LeadScore.model_validate({"lead_id": lead_id, "activities": activities, **fields})


def json_payload(value: Mapping[str, Any]) -> Payload:
    """Return `value` as the bridge puts it into a header."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())

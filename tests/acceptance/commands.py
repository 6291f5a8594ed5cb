"""Commands as a user of the contract would write them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.producer import Command

LIMIT = 10_000
"""An invoice whose total exceeds it waits for approval (default of WORKERS_INVOICE_APPROVAL_OVER)."""

SMALL = "19.99"
LARGE = "12345.67"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACED = {
    "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    "tracestate": "vendor=opaque",
    "correlationid": "order-4711",
}


def fresh(word: str) -> str:
    """Return a business id that nobody has."""
    return f"{word}-{uuid.uuid4().hex[:12]}"


def invoice(number: str, price: str = SMALL, **rest: Any) -> Command:
    lines = [{"description": "Analytical engine", "quantity": 1, "unit_price": price}]
    data: dict[str, Any] = {
        "invoice_id": number,
        "customer": {"name": "Ada Lovelace", "email": f"{number}@example.com"},
        "currency": "EUR",
        "lines": lines,
        "issued_on": "2026-01-02",
        "due_on": "2026-02-01",
    }
    return Command("invoice.process", data | rest)


def campaign(number: str, *channels: str, **rest: Any) -> Command:
    data: dict[str, Any] = {
        "campaign_id": number,
        "name": f"Campaign {number}",
        "brief": "Engines for everybody.",
        "channels": channels or ("display",),
        "budget": {"amount": "5000.00", "currency": "EUR"},
        "starts_on": "2026-03-01",
        "ends_on": "2026-03-31",
    }
    return Command("campaign.create", data | rest)


def approve(domain: str, number: str, **rest: Any) -> Command:
    return Command(f"{domain}.approve", {f"{domain}_id": number, "by": "cfo@example.com", **rest})


def cancel(domain: str, number: str, **rest: Any) -> Command:
    return Command(f"{domain}.cancel", {f"{domain}_id": number, **rest})


def lead(number: str, kinds: Sequence[str] = ("page_view",), **rest: Any) -> Command:
    activities = [{"kind": kind, "occurred_at": "2026-11-01T12:00:00Z"} for kind in kinds]
    return Command("lead.score", {"lead_id": number, "activities": activities, **rest})


def timed(command: Command) -> Command:
    """Return the command as of some seconds ago: only by its own time can a new record with it be known as old."""
    time = datetime.now(UTC) - timedelta(seconds=10)
    return Command(command.type, command.data, extensions={"time": time.isoformat()})

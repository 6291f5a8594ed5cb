"""The samples of one start."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from bridge.dev.samples import campaigns, invoices, leads
from bridge.dev.samples.sample import Sample
from topics.tables import CAMPAIGN, INVOICE, LEAD


def samples(domains: Iterable[str], approval_over: Decimal) -> tuple[Sample, ...]:
    """Return the samples of these domains, with business ids that were never used before."""
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    made = {
        INVOICE.name: invoices.samples(stamp, approval_over),
        CAMPAIGN.name: campaigns.samples(stamp),
        LEAD.name: leads.samples(stamp),
    }
    return tuple(sample for domain in domains for sample in made[domain])

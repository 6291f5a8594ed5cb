"""Leads: one that only looks around, one that qualifies. Their runs go on."""

from datetime import UTC, datetime

from bridge.dev.samples.sample import Sample, Step, outcomes
from topics import lead
from topics.tables import LEAD

VISITS: tuple[lead.ActivityKind, ...] = ("page_view", "email_open", "page_view")
WISHES: tuple[lead.ActivityKind, ...] = (*("demo_request",) * 3, *("form_submit",) * 3, "email_click", "page_view")
BUYER = lead.LeadProfile(
    email="charles@example.com", job_title="CTO", company="Engines Ltd", company_size=250, country="GB"
)


def samples(stamp: str) -> tuple[Sample, ...]:
    """Return the leads."""
    visitor, buyer = f"visitor-{stamp}", f"buyer-{stamp}"
    scored = {"lead.scored": len(VISITS)}
    return (
        Sample(
            "lead that looks around",
            LEAD.name,
            visitor,
            tuple(Step("lead.score", _score(visitor, (kind,))) for kind in VISITS),
            outcomes(commands=len(VISITS), end=None) | scored,
        ),
        Sample(
            "lead that qualifies",
            LEAD.name,
            buyer,
            (Step("lead.score", _score(buyer, WISHES, BUYER)),),
            outcomes("lead.scored", "lead.qualified", end=None),
        ),
    )


def _score(
    number: str, kinds: tuple[lead.ActivityKind, ...], profile: lead.LeadProfile | None = None
) -> lead.LeadScore:
    now = datetime.now(UTC)
    activities = tuple(lead.LeadActivity(kind=kind, occurred_at=now) for kind in kinds)
    return lead.LeadScore(lead_id=number, activities=activities, profile=profile)

"""Campaigns: one published at once, one after approval, one cancelled while it waits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bridge.dev.samples.sample import Sample, Step, outcomes
from topics import campaign
from topics.tables import CAMPAIGN

AUDIENCE = ("grace@example.com", "alan@example.com")
BRIEF = "Tell everyone who likes mathematics that engines are 20 % off until the end of the month."
WAITS = "campaign.approval_requested"
MADE = ("campaign.created", "campaign.content_generated")


def samples(stamp: str) -> tuple[Sample, ...]:
    """Return the campaigns."""
    plain, approved, cancelled = (f"{name}-{stamp}" for name in ("plain", "approved", "cancelled"))
    approve = campaign.CampaignApprove(campaign_id=approved, by="cmo@example.com")
    cancel = campaign.CampaignCancel(campaign_id=cancelled, reason="The budget was cut.")
    return (
        Sample(
            "campaign on two channels",
            CAMPAIGN.name,
            plain,
            (Step("campaign.create", _campaign(plain, ("email", "social"))),),
            outcomes(*MADE, "campaign.published"),
        ),
        Sample(
            "campaign that waits, approved",
            CAMPAIGN.name,
            approved,
            (
                Step("campaign.create", _campaign(approved, ("search", "display"), approval=True)),
                Step("campaign.approve", approve, after=WAITS),
            ),
            outcomes(*MADE, WAITS, "campaign.approved", "campaign.published", commands=2),
        ),
        Sample(
            "campaign cancelled while it waits",
            CAMPAIGN.name,
            cancelled,
            (
                Step("campaign.create", _campaign(cancelled, ("email",), approval=True)),
                Step("campaign.cancel", cancel, after=WAITS),
            ),
            outcomes(*MADE, WAITS, "campaign.cancelled", commands=2, end="workflow.cancelled"),
        ),
    )


def _campaign(
    number: str, channels: tuple[campaign.Channel, ...], *, approval: bool = False
) -> campaign.CampaignCreate:
    today = datetime.now(UTC).date()
    return campaign.CampaignCreate(
        campaign_id=number,
        name="Autumn sale",
        brief=BRIEF,
        channels=channels,
        budget=campaign.Budget(amount=Decimal("2500.00"), currency="EUR"),
        starts_on=today,
        ends_on=today + timedelta(days=14),
        audience=AUDIENCE if "email" in channels else None,
        approval=approval,
    )

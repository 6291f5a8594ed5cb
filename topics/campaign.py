"""The campaign domain: its commands and the events that its workflow emits."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from topics.fields import BusinessId, Currency, Day, Email, InPieces, Model, Number, Text, at_most

Channel = Literal["email", "search", "social", "display"]


class Budget(Model):
    """What a campaign may cost."""

    amount: Annotated[Number, Field(gt=0)]
    currency: Currency


class CampaignCreate(Model):
    """Record a campaign, generate its content and publish it to its channels."""

    campaign_id: BusinessId
    name: Text
    brief: Text
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=10), at_most(10)]
    budget: Budget
    starts_on: Day
    ends_on: Day
    audience: Annotated[tuple[Email, ...], InPieces] | None = None
    approval: StrictBool = False


class CampaignApprove(Model):
    """Approve a campaign that waits for it, or refuse it with `approved` false."""

    campaign_id: BusinessId
    by: Text
    approved: StrictBool = True
    comment: StrictStr | None = None


class CampaignCancel(Model):
    """Cancel a campaign that is not published yet."""

    campaign_id: BusinessId
    reason: StrictStr | None = None


class CampaignEvent(Model):
    """What every event of a campaign tells."""

    campaign_id: str
    workflow_id: str
    run_id: str


class CampaignCreated(CampaignEvent):
    """The campaign is in the database."""

    name: str
    channels: tuple[Channel, ...]


class CampaignContentGenerated(CampaignEvent):
    """Each channel has its content; `model` names what wrote it."""

    channels: tuple[Channel, ...]
    model: str


class CampaignApprovalRequested(CampaignEvent):
    """The campaign waits for `campaign.approve`."""

    name: str


class CampaignApproved(CampaignEvent):
    """A person approved the campaign."""

    by: str
    comment: str | None = None


class CampaignRejected(CampaignEvent):
    """A person refused the campaign; the run completes."""

    by: str
    reason: str | None = None


class ChannelResult(Model):
    """How publishing to one channel ended; `detail` says where to, or why not."""

    channel: Channel
    status: Literal["published", "failed"]
    detail: str


class CampaignPublished(CampaignEvent):
    """Every channel was tried to the end; those that failed for good say why."""

    channels: tuple[ChannelResult, ...]


class CampaignCancelled(CampaignEvent):
    """The campaign was cancelled before it was published."""

    reason: str | None = None

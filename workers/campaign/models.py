"""What goes into the steps of a campaign and comes out of them."""

from typing import Literal

from topics.campaign import CampaignCreate, Channel, ChannelResult
from topics.fields import Model

Status = Literal[
    "validating", "recording", "generating", "awaiting_approval", "publishing", "published", "rejected", "cancelled"
]


class CampaignStatus(Model):
    """The answer to the query `status`."""

    status: Status


class ContentRequest(Model):
    """The channel to write content for."""

    campaign: CampaignCreate
    channel: Channel


class Content(Model):
    """What a channel shows; `model` names what wrote it."""

    channel: Channel
    headline: str
    body: str
    model: str


class Publication(Model):
    """The content to publish to its channel."""

    campaign: CampaignCreate
    content: Content


class CampaignResult(Model):
    """How the run ended."""

    campaign_id: str
    status: Status
    channels: tuple[ChannelResult, ...] = ()

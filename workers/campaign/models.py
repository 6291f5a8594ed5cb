"""What goes into the steps of a campaign and comes out of them."""

from datetime import date
from typing import Literal

from topics.campaign import Budget, Channel, ChannelResult
from topics.fields import Model

Status = Literal[
    "validating", "recording", "generating", "awaiting_approval", "publishing", "published", "rejected", "cancelled"
]


class CampaignStatus(Model):
    """The answer to the query `status`."""

    status: Status


class ContentRequest(Model):
    """What to write about, and the channel to write for."""

    campaign_id: str
    name: str
    brief: str
    starts_on: date
    ends_on: date
    channel: Channel


class Content(Model):
    """What a channel shows; `model` names what wrote it."""

    channel: Channel
    headline: str
    body: str
    model: str


class Publication(Model):
    """The content to publish to its channel; `audience` for `email` alone."""

    campaign_id: str
    name: str
    budget: Budget
    starts_on: date
    ends_on: date
    audience: tuple[str, ...]
    content: Content


class CampaignResult(Model):
    """How the run ended."""

    campaign_id: str
    status: Status
    channels: tuple[ChannelResult, ...] = ()

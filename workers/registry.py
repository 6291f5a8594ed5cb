"""The table of task queues: what runs on each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from topics.campaign import Channel
from workers.announcement import Announcer
from workers.campaign.activities import CampaignActivities
from workers.campaign.channels import DatabasePublisher, EndpointPublisher, MailPublisher, Publisher, Publishers
from workers.campaign.content import ModelWriter, TemplateWriter, Writer
from workers.campaign.workflow import CampaignCreation
from workers.database import Database
from workers.endpoint import Endpoint
from workers.invoice.activities import InvoiceActivities
from workers.invoice.workflow import InvoiceProcessing
from workers.lead.workflow import LeadScoring
from workers.mail import Mailer
from workers.sdk.emitter import Emitter
from workers.settings import Settings

Activities = Sequence[Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Resources:
    """What activities are built with."""

    settings: Settings
    emitter: Emitter
    database: Database
    http: httpx.AsyncClient

    @property
    def mailer(self) -> Mailer:
        """What sends mails."""
        return Mailer(self.settings.mail_server)


@dataclass(frozen=True, slots=True)
class TaskQueue:
    """A task queue: its workflows, and how its activities are built."""

    name: str
    workflows: tuple[type, ...]
    activities: Callable[[Resources], Activities]


def invoice_activities(resources: Resources) -> Activities:
    """Return the activities of `finance`."""
    steps = InvoiceActivities(
        approval_over=resources.settings.workers.invoice_approval_over,
        mailer=resources.mailer,
        database=resources.database,
    )
    return (steps.total_invoice, steps.send_invoice, steps.record_invoice, Announcer(resources.emitter).announce)


def campaign_activities(resources: Resources) -> Activities:
    """Return the activities of `campaigns`."""
    steps = CampaignActivities(
        database=resources.database, writer=_writer(resources), publishers=Publishers(_publishers(resources))
    )
    return (
        steps.validate_campaign,
        steps.record_campaign,
        steps.generate_content,
        steps.publish_content,
        Announcer(resources.emitter).announce,
    )


def lead_activities(resources: Resources) -> Activities:
    """Return the activities of `leads`."""
    return (Announcer(resources.emitter).announce,)


QUEUES: tuple[TaskQueue, ...] = (
    TaskQueue("finance", (InvoiceProcessing,), invoice_activities),
    TaskQueue("campaigns", (CampaignCreation,), campaign_activities),
    TaskQueue("leads", (LeadScoring,), lead_activities),
)

BY_NAME: Mapping[str, TaskQueue] = {queue.name: queue for queue in QUEUES}


def _writer(resources: Resources) -> Writer:
    section = resources.settings.workers
    if section.content_url is None:
        return TemplateWriter()
    url = section.content_url.get_secret_value().rstrip("/") + "/chat/completions"
    key = section.content_api_key
    return ModelWriter(
        Endpoint(resources.http, url), section.content_model, None if key is None else key.get_secret_value()
    )


def _publishers(resources: Resources) -> Mapping[Channel, Publisher]:
    section = resources.settings.workers
    urls: Mapping[Channel, Any] = {
        "search": section.channel_search_url,
        "social": section.channel_social_url,
        "display": section.channel_display_url,
    }
    in_database = DatabasePublisher(resources.database)
    by_channel: dict[Channel, Publisher] = {
        channel: in_database if url is None else EndpointPublisher(Endpoint(resources.http, url.get_secret_value()))
        for channel, url in urls.items()
    }
    return by_channel | {"email": MailPublisher(resources.mailer, resources.database)}

"""Where a campaign is published: mails, an endpoint, or the database where no endpoint is configured."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol

from topics.campaign import Channel
from workers import mail
from workers.campaign import records
from workers.campaign.models import Publication
from workers.database import Database
from workers.endpoint import Endpoint
from workers.mail import Mailer, MailRefusedError
from workers.sdk import ids


class NoAudienceError(Exception):
    """There is nobody to mail the campaign to."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt of which run publishes; `key` is the same for all attempts, `time` too."""

    key: str
    time: datetime


class Publisher(Protocol):
    """Publishes to one channel."""

    async def publish(self, publication: Publication, attempt: Attempt) -> str:
        """Publish, and return where to, for people; may be called again for the same publication."""


@dataclass(frozen=True, slots=True)
class EndpointPublisher:
    """Posts to an endpoint, with a key by which it recognises a repetition."""

    endpoint: Endpoint

    async def publish(self, publication: Publication, attempt: Attempt) -> str:
        """Publish, and return where to."""
        content = publication.content
        document = {
            "campaign_id": publication.campaign_id,
            "name": publication.name,
            "channel": content.channel,
            "headline": content.headline,
            "body": content.body,
            "budget": {"amount": format(publication.budget.amount, "f"), "currency": publication.budget.currency},
            "starts_on": publication.starts_on.isoformat(),
            "ends_on": publication.ends_on.isoformat(),
        }
        await self.endpoint.post(document, {"Idempotency-Key": attempt.key})
        return f"posted to {self.endpoint.host}"


@dataclass(frozen=True, slots=True)
class DatabasePublisher:
    """Keeps the content in the database, for whoever publishes it by hand."""

    database: Database

    async def publish(self, publication: Publication, attempt: Attempt) -> str:  # noqa: ARG002 -- a row is written over
        """Publish, and return where to."""
        await self.database.run(records.save_publication, publication)
        return "recorded in the database: no endpoint is configured for this channel"


@dataclass(frozen=True, slots=True)
class MailPublisher:
    """Mails the content to the audience, one mail an address, whatever is retried or run again."""

    mailer: Mailer
    database: Database

    async def publish(self, publication: Publication, attempt: Attempt) -> str:
        """Mail whoever was not mailed yet, and return how many were; raises if the server refused every address."""
        campaign_id = publication.campaign_id
        audience = tuple(dict.fromkeys(publication.audience))
        if not audience:
            raise NoAudienceError("The campaign names no audience: there is nobody to mail it to.")
        done = await self.database.run(records.mailed, campaign_id)
        for address in audience:
            if address not in done:
                done[address] = await self._mail(publication, address, attempt)
                await self.database.run(records.save_mailing, campaign_id, address, done[address])
        refusals = [done[address] for address in audience if done[address] != records.SENT]
        if len(refusals) == len(audience):
            raise MailRefusedError(refusals[0])
        sent = f"mailed to {len(audience) - len(refusals)} of {len(audience)} addresses"
        return sent + (f"; {len(refusals)} refused, the first: {refusals[0]}" if refusals else "")

    async def _mail(self, publication: Publication, address: str, attempt: Attempt) -> str:
        try:
            await self.mailer.send(_compose(publication, address, self.mailer.server.sender, attempt))
        except MailRefusedError as error:
            return str(error)  # one bad address is no reason to leave out the others
        return records.SENT


@dataclass(frozen=True, slots=True)
class Publishers:
    """The publisher of each channel."""

    by_channel: Mapping[Channel, Publisher]

    async def publish(self, publication: Publication, attempt: Attempt) -> str:
        """Publish to the publication's channel."""
        return await self.by_channel[publication.content.channel].publish(publication, attempt)


def _compose(publication: Publication, address: str, sender: str, attempt: Attempt) -> EmailMessage:
    content = publication.content
    message = mail.new_message(sender, "", address, content.headline)
    message["Date"] = format_datetime(attempt.time)
    digest = hashlib.sha256(address.encode()).hexdigest()
    message["Message-ID"] = f"<{ids.event_id('mail', attempt.key, digest)}@{sender.rpartition('@')[2]}>"
    message.set_content(content.body)
    return message

"""The rows of campaigns, of what was published, and of who was mailed."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from topics.campaign import CampaignCreate
from workers import schema
from workers.campaign.models import Publication

SENT = "sent"


async def save(connection: AsyncConnection, campaign: CampaignCreate) -> None:
    """Write the campaign's row, over the one it may have."""
    row = {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "brief": campaign.brief,
        "budget_amount": campaign.budget.amount,
        "budget_currency": campaign.budget.currency,
        "starts_on": campaign.starts_on.isoformat(),
        "ends_on": campaign.ends_on.isoformat(),
    }
    await schema.upsert(connection, schema.campaigns, row)


async def save_publication(connection: AsyncConnection, publication: Publication) -> None:
    """Write what the campaign says on a channel."""
    content = publication.content
    row = {
        "campaign_id": publication.campaign_id,
        "channel": content.channel,
        "headline": content.headline,
        "body": content.body,
    }
    await schema.upsert(connection, schema.publications, row)


async def save_mailing(connection: AsyncConnection, campaign_id: str, address: str, status: str) -> None:
    """Note that `address` was mailed; `status` is `SENT`, or why the mail server refused."""
    row = {"campaign_id": campaign_id, "address": address, "status": status}
    await schema.upsert(connection, schema.mailings, row)


async def mailed(connection: AsyncConnection, campaign_id: str) -> dict[str, str]:
    """Return the status by address of whoever was mailed already."""
    mailings = schema.mailings.c
    query = select(mailings.address, mailings.status).where(mailings.campaign_id == campaign_id)
    rows = await connection.execute(query)
    return {row.address: row.status for row in rows}

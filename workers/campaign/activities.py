"""The steps of a campaign that touch the world."""

from temporalio import activity

from topics.campaign import CampaignCreate
from workers import heartbeat
from workers.campaign import records, rules
from workers.campaign.channels import Attempt, Publishers
from workers.campaign.content import Writer
from workers.campaign.models import Content, ContentRequest, Publication
from workers.database import Database


class CampaignActivities:
    """Each may be tried again at any point."""

    def __init__(self, *, database: Database, writer: Writer, publishers: Publishers) -> None:
        """Take where rows go, what writes content, and where it is published."""
        self._database = database
        self._writer = writer
        self._publishers = publishers

    @activity.defn
    async def validate_campaign(self, campaign: CampaignCreate) -> None:
        """Raise `InvalidCampaignError` if the campaign cannot be run."""
        rules.check(campaign)

    @activity.defn
    async def record_campaign(self, campaign: CampaignCreate) -> None:
        """Write the campaign's row, one a campaign id."""
        await self._database.run(records.save, campaign)

    @activity.defn
    async def generate_content(self, request: ContentRequest) -> Content:
        """Write what the campaign says on a channel."""
        async with heartbeat.beating():
            return await self._writer.write(request)

    @activity.defn
    async def publish_content(self, publication: Publication) -> str:
        """Publish to a channel, and return where to, for people."""
        info = activity.info()
        attempt = Attempt(key=f"{info.workflow_run_id}:{publication.content.channel}", time=info.scheduled_time)
        async with heartbeat.beating():
            return await self._publishers.publish(publication, attempt)

"""From `campaign.create` to content on every channel."""

import asyncio
from collections.abc import Iterable

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from topics import campaign as events
    from topics.campaign import CampaignApprove, CampaignCreate, Channel, ChannelResult
    from topics.envelope import Command
    from workers import announcement, cancellation, policies
    from workers.campaign import rules
    from workers.campaign.activities import CampaignActivities
    from workers.campaign.models import CampaignResult, CampaignStatus, Content, ContentRequest, Publication, Status
    from workers.sdk import Seen, acting_for

DETAIL_CHARACTERS_MAX = 500

# A command may be of 1 MiB, and what one workflow task starts must not exceed 4 MB: each channel gets what it needs.
NAME_CHARACTERS_MAX = 200
BRIEF_CHARACTERS_MAX = 20_000


@workflow.defn
class CampaignCreation:
    """Validate, record, write content, approve if asked for, publish.

    A cancel takes effect until publishing begins; what is out cannot be taken back, so from then on the run goes to
    its end and tells what became of each channel.
    """

    def __init__(self) -> None:
        """Begin as every run does."""
        self._status: Status = "validating"
        self._decision: Command[CampaignApprove] | None = None
        self._seen = Seen()

    @workflow.run
    async def run(self, command: Command[CampaignCreate]) -> CampaignResult:
        """Take the campaign to its end."""
        campaign = command.data
        with acting_for(command):
            try:
                contents = await self._prepare(campaign)
                if campaign.approval and not await self._approved(campaign):
                    self._status = "rejected"
                    return CampaignResult(campaign_id=campaign.campaign_id, status=self._status)
            except (asyncio.CancelledError, ActivityError) as error:
                if cancellation.requested() and is_cancelled_exception(error):
                    await self._cancelled(campaign)
                raise
            self._status = "publishing"
            return await cancellation.to_its_end(self._publish(campaign, contents))

    @workflow.signal
    def approve(self, command: Command[CampaignApprove]) -> None:
        """Take a person's decision; the first one counts."""
        if self._seen.add(command.source, command.id) and self._decision is None:
            self._decision = command

    @workflow.query
    def status(self) -> CampaignStatus:
        """Tell how far the campaign is."""
        return CampaignStatus(status=self._status)

    async def _prepare(self, campaign: CampaignCreate) -> tuple[Content, ...]:
        channels = rules.channels(campaign)
        await workflow.execute_activity_method(
            CampaignActivities.validate_campaign, campaign, **policies.CAMPAIGN_VALIDATE
        )
        self._status = "recording"
        await workflow.execute_activity_method(CampaignActivities.record_campaign, campaign, **policies.CAMPAIGN_RECORD)
        await announcement.announce(events.CampaignCreated(**_whose(campaign), name=campaign.name, channels=channels))
        self._status = "generating"
        contents = tuple(await asyncio.gather(*(self._generate(campaign, channel) for channel in channels)))
        await announcement.announce(
            events.CampaignContentGenerated(**_whose(campaign), channels=channels, model=_models(contents))
        )
        return contents

    async def _generate(self, campaign: CampaignCreate, channel: Channel) -> Content:
        request = ContentRequest(
            campaign_id=campaign.campaign_id,
            name=campaign.name[:NAME_CHARACTERS_MAX],
            brief=campaign.brief[:BRIEF_CHARACTERS_MAX],
            starts_on=campaign.starts_on,
            ends_on=campaign.ends_on,
            channel=channel,
        )
        return await workflow.execute_activity_method(
            CampaignActivities.generate_content, request, **policies.CAMPAIGN_GENERATE
        )

    async def _approved(self, campaign: CampaignCreate) -> bool:
        self._status = "awaiting_approval"
        await announcement.announce(events.CampaignApprovalRequested(**_whose(campaign), name=campaign.name))
        await workflow.wait_condition(lambda: self._decision is not None)
        assert self._decision is not None  # noqa: S101 -- for mypy: that is what was waited for
        decision = self._decision.data
        with acting_for(self._decision):
            if decision.approved:
                await announcement.announce(
                    events.CampaignApproved(**_whose(campaign), by=decision.by, comment=decision.comment)
                )
            else:
                await announcement.announce(
                    events.CampaignRejected(**_whose(campaign), by=decision.by, reason=decision.comment)
                )
        return decision.approved

    async def _publish(self, campaign: CampaignCreate, contents: Iterable[Content]) -> CampaignResult:
        results = tuple(await asyncio.gather(*(_publish_content(campaign, content) for content in contents)))
        await announcement.announce(events.CampaignPublished(**_whose(campaign), channels=results))
        self._status = "published"
        return CampaignResult(campaign_id=campaign.campaign_id, status=self._status, channels=results)

    async def _cancelled(self, campaign: CampaignCreate) -> None:
        self._status = "cancelled"
        await announcement.announce(events.CampaignCancelled(**_whose(campaign), reason=cancellation.reason()))


async def _publish_content(campaign: CampaignCreate, content: Content) -> ChannelResult:
    publication = Publication(
        campaign_id=campaign.campaign_id,
        name=campaign.name[:NAME_CHARACTERS_MAX],
        budget=campaign.budget,
        starts_on=campaign.starts_on,
        ends_on=campaign.ends_on,
        audience=(campaign.audience or ()) if content.channel == "email" else (),
        content=content,
    )
    try:
        detail = await workflow.execute_activity_method(
            CampaignActivities.publish_content, publication, **policies.CAMPAIGN_PUBLISH
        )
    except ActivityError as error:
        # For good: its attempts are used up. The other channels stand.
        cause = error.cause if isinstance(error.cause, FailureError) else error
        detail = cause.message[:DETAIL_CHARACTERS_MAX]
        return ChannelResult(channel=content.channel, status="failed", detail=detail)
    return ChannelResult(channel=content.channel, status="published", detail=detail)


def _models(contents: Iterable[Content]) -> str:
    return ", ".join(dict.fromkeys(content.model for content in contents))


def _whose(campaign: CampaignCreate) -> dict[str, str]:
    info = workflow.info()
    return {"campaign_id": campaign.campaign_id, "workflow_id": info.workflow_id, "run_id": info.run_id}

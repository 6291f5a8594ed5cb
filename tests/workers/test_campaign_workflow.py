"""The campaign's run from command to publication, on Temporal's time-skipping server."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from tests.workers import commands
from tests.workers.stage import Stage, state
from workers import announcement, schema
from workers.campaign.channels import Attempt
from workers.campaign.content import TemplateWriter
from workers.campaign.models import CampaignResult, Content, ContentRequest, Publication
from workers.campaign.workflow import CampaignCreation
from workers.endpoint import EndpointFailedError, EndpointRefusedError

Run = WorkflowHandle[CampaignCreation, CampaignResult]

CREATED = ["campaign.created", "campaign.content_generated"]


@dataclass
class Flaky:
    """Fails as told, then publishes."""

    errors: list[Exception] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def publish(self, publication: Publication, attempt: Attempt) -> str:
        self.keys.append(attempt.key)
        if self.errors:
            raise self.errors.pop(0)
        return "posted to ads.example"


async def start(stage: Stage, **fields: Any) -> Run:
    command = commands.command("campaign.create", commands.campaign(**fields))
    return await stage.client.start_workflow(CampaignCreation.run, command, id="campaign-C-1", task_queue="campaigns")


def outcomes(result: CampaignResult) -> Sequence[tuple[str, str]]:
    return [(channel.channel, channel.status) for channel in result.channels]


async def test_a_campaign_is_created_filled_and_published(stage: Stage) -> None:
    async with stage.working("campaigns"):
        result = await (await start(stage)).result()
    assert stage.types == [*CREATED, "campaign.published"]
    assert (result.status, outcomes(result)) == ("published", [("social", "published")])


async def test_a_channel_without_endpoint_is_recorded_in_the_database(stage: Stage) -> None:
    async with stage.working("campaigns"):
        await (await start(stage, channels=("search", "display"))).result()
    rows = [(row.campaign_id, row.channel, row.headline) for row in await stage.rows(schema.publications)]
    assert sorted(rows) == [("C-1", "display", "Spring sale"), ("C-1", "search", "Spring sale")]


async def test_a_campaign_has_one_row(stage: Stage) -> None:
    async with stage.working("campaigns"):
        await (await start(stage)).result()
    rows = [(row.campaign_id, str(row.budget_amount), row.starts_on) for row in await stage.rows(schema.campaigns)]
    assert rows == [("C-1", "500.00", "2026-03-01")]


async def test_the_audience_is_mailed_one_mail_an_address(stage: Stage) -> None:
    audience = ("ada@example.com", "grace@example.com", "ada@example.com")
    async with stage.working("campaigns"):
        result = await (await start(stage, channels=("email",), audience=audience)).result()
    assert sorted(message["To"] for message in stage.inbox.messages) == ["ada@example.com", "grace@example.com"]
    assert result.channels[0].detail == "mailed to 2 of 2 addresses"


async def test_a_mailing_that_is_interrupted_goes_on_where_it_was(stage: Stage) -> None:
    audience = tuple(f"reader{number}@example.com" for number in range(4))
    stage.inbox.replies = ["250 OK", "250 OK", "451 Try later"]
    async with stage.working("campaigns"):
        await (await start(stage, channels=("email",), audience=audience)).result()
    assert (len(stage.inbox.attempted), len(set(stage.inbox.attempted))) == (5, 4)


async def test_a_refused_address_does_not_keep_the_others_from_their_mail(stage: Stage) -> None:
    stage.inbox.refused["ada@example.com"] = "550 No such user"
    async with stage.working("campaigns"):
        run = await start(stage, channels=("email",), audience=("ada@example.com", "grace@example.com"))
        (channel,) = (await run.result()).channels
    assert (channel.status, channel.detail) == (
        "published",
        "mailed to 1 of 2 addresses; 1 refused, the first: The mail server refused the mail: 550 No such user",
    )


async def test_a_mailing_without_audience_is_reported_as_failed(stage: Stage) -> None:
    async with stage.working("campaigns"):
        (channel,) = (await (await start(stage, channels=("email",))).result()).channels
    assert (channel.status, channel.detail) == (
        "failed",
        "The campaign names no audience: there is nobody to mail it to.",
    )


async def test_a_channel_that_fails_for_good_is_reported_and_the_others_stand(stage: Stage) -> None:
    stage.publishers["search"] = Flaky([EndpointFailedError("ads.example answered 503")] * 9)
    async with stage.working("campaigns"):
        run = await start(stage, channels=("search", "social"))
        result = await run.result()
    assert (outcomes(result), await state(run)) == (
        [("search", "failed"), ("social", "published")],
        "COMPLETED",
    )
    assert stage.events("channels")[-1] == [channel.model_dump() for channel in result.channels]
    assert result.channels[0].detail == "ads.example answered 503"


async def test_a_channel_that_fails_four_times_is_published_under_one_key(stage: Stage) -> None:
    flaky = Flaky([EndpointFailedError("ads.example answered 503")] * 4)
    stage.publishers["search"] = flaky
    async with stage.working("campaigns"):
        result = await (await start(stage, channels=("search",))).result()
    assert (outcomes(result), len(flaky.keys), len(set(flaky.keys))) == ([("search", "published")], 5, 1)


async def test_a_channel_that_refuses_is_not_asked_again(stage: Stage) -> None:
    flaky = Flaky([EndpointRefusedError("ads.example answered 403 Forbidden")] * 9)
    stage.publishers["search"] = flaky
    async with stage.working("campaigns"):
        result = await (await start(stage, channels=("search",))).result()
    assert (outcomes(result), len(flaky.keys)) == ([("search", "failed")], 1)


async def test_a_channel_named_twice_is_published_once(stage: Stage) -> None:
    flaky = Flaky()
    stage.publishers["search"] = flaky
    async with stage.working("campaigns"):
        result = await (await start(stage, channels=("search", "social", "search"))).result()
    assert ([channel for channel, _ in outcomes(result)], len(flaky.keys)) == (["search", "social"], 1)


async def test_a_campaign_that_ends_before_it_starts_fails_at_once(stage: Stage) -> None:
    async with stage.working("campaigns"):
        run = await start(stage, starts_on="2026-03-31", ends_on="2026-03-01")
        with pytest.raises(WorkflowFailureError) as failure:
            await run.result()
    cause = failure.value.cause.__cause__
    assert isinstance(cause, ApplicationError)
    assert (cause.type, stage.types) == ("InvalidCampaignError", [])


async def test_a_campaign_waits_for_approval_if_it_asks_for_it(stage: Stage) -> None:
    async with stage.working("campaigns"):
        run = await start(stage, approval=True)
        await stage.told("campaign.approval_requested")
        waiting = (await run.query(CampaignCreation.status)).status
        approve = commands.command("campaign.approve", commands.campaign_decision(), id="yes")
        await run.signal(CampaignCreation.approve, approve)
        await run.result()
    assert waiting == "awaiting_approval"
    assert stage.types == [*CREATED, "campaign.approval_requested", "campaign.approved", "campaign.published"]
    assert stage.events("ce_type", "ce_causationid")[3] == ("campaign.approved", "yes")


async def test_a_refused_campaign_is_rejected_and_completes(stage: Stage) -> None:
    async with stage.working("campaigns"):
        run = await start(stage, approval=True)
        no = commands.command("campaign.approve", commands.campaign_decision(approved=False))
        await run.signal(CampaignCreation.approve, no)
        result = await run.result()
    assert (result.status, stage.types[-1], await state(run)) == ("rejected", "campaign.rejected", "COMPLETED")


async def test_a_cancelled_campaign_publishes_nothing_and_closes_as_cancelled(stage: Stage) -> None:
    async with stage.working("campaigns"):
        run = await start(stage, approval=True)
        await stage.told("campaign.approval_requested")
        await run.cancel(reason="No money.")
        with pytest.raises(WorkflowFailureError):
            await run.result()
        answer = (await run.query(CampaignCreation.status)).status
    assert (await state(run), answer) == ("CANCELED", "cancelled")
    assert stage.events("ce_type", "reason")[-1] == ("campaign.cancelled", "No money.")
    assert await stage.rows(schema.publications) == []


async def test_kafka_away_for_long_publishes_once_and_fails_nothing(stage: Stage) -> None:
    flaky = Flaky()
    stage.publishers["search"] = flaky
    stage.emitter.away = 30
    async with stage.working("campaigns"):
        await (await start(stage, channels=("search",))).result()
    assert (len(flaky.keys), stage.types) == (1, [*CREATED, "campaign.published"])


async def test_a_campaign_of_a_megabyte_goes_to_every_channel(stage: Stage) -> None:
    channels = ("email", "search", "social", "display")
    texts = {"name": "n" * 500_000, "brief": "b" * 500_000}
    async with stage.working("campaigns"):
        run = await start(stage, channels=channels, audience=("ada@example.com",), **texts)
        result = await run.result()
    assert outcomes(result) == [(channel, "published") for channel in channels]
    assert len(stage.events("name")[0]) == announcement.TEXT_CHARACTERS_MAX


@dataclass
class FlakyWriter:
    """Fails as often as told, then writes."""

    failures: int
    calls: int = 0

    async def write(self, request: ContentRequest) -> Content:
        self.calls += 1
        if self.calls <= self.failures:
            raise EndpointFailedError("llm.example answered 503")
        return await TemplateWriter().write(request)


async def test_content_that_fails_four_times_delays_the_campaign(stage: Stage) -> None:
    stage.writer = FlakyWriter(failures=4)
    async with stage.working("campaigns"):
        result = await (await start(stage)).result()
    assert (result.status, stage.writer.calls) == ("published", 5)


async def test_content_that_fails_for_good_fails_the_campaign(stage: Stage) -> None:
    stage.writer = FlakyWriter(failures=9)
    async with stage.working("campaigns"):
        run = await start(stage)
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert (stage.types, await state(run)) == (["campaign.created"], "FAILED")


async def test_the_event_names_what_wrote_the_content(stage: Stage) -> None:
    async with stage.working("campaigns"):
        await (await start(stage, channels=("search", "social"))).result()
    assert stage.events("channels", "model")[1] == (["search", "social"], "template")


async def test_a_run_goes_on_from_its_history_alone(stage: Stage) -> None:
    run = await start(stage, channels=("search", "social", "display"), approval=True)
    await run.signal(CampaignCreation.approve, commands.command("campaign.approve", commands.campaign_decision()))
    async with stage.working("campaigns", max_cached_workflows=0):
        result = await run.result()
    assert (result.status, len(stage.types)) == ("published", 5)

"""Endpoints of others: content from a language model, campaigns posted to a channel."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.workers import commands
from tests.workers.website import Website, running_website
from topics.campaign import Channel
from workers import endpoint
from workers.campaign import content
from workers.campaign.channels import Attempt, EndpointPublisher
from workers.campaign.content import ModelWriter, TemplateWriter
from workers.campaign.models import Content, ContentRequest, Publication
from workers.endpoint import Endpoint, EndpointFailedError, EndpointRefusedError

ATTEMPT = Attempt(key="run-1:search", time=datetime(2026, 11, 21, tzinfo=UTC))
CHANNELS: tuple[Channel, ...] = ("email", "search", "social", "display")


@pytest.fixture
def website() -> Iterator[Website]:
    with running_website() as website:
        yield website


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as client:
        yield client


@pytest.fixture
def at(website: Website, client: httpx.AsyncClient) -> Endpoint:
    return Endpoint(client, f"{website.url}/secret-path?token=secret")


def completion(text: Any, model: str = "tiny-1") -> tuple[int, bytes]:
    return 200, json.dumps({"model": model, "choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


def publication() -> Publication:
    campaign = commands.campaign()
    return Publication(
        campaign_id=campaign.campaign_id,
        name=campaign.name,
        budget=campaign.budget,
        starts_on=campaign.starts_on,
        ends_on=campaign.ends_on,
        audience=(),
        content=Content(channel="search", headline="Spring!", body="Buy.", model="template"),
    )


def wanted(channel: Channel = "search") -> ContentRequest:
    campaign = commands.campaign()
    return ContentRequest(
        campaign_id=campaign.campaign_id,
        name=campaign.name,
        brief=campaign.brief,
        starts_on=campaign.starts_on,
        ends_on=campaign.ends_on,
        channel=channel,
    )


async def test_a_campaign_is_posted_with_a_key_that_repeats(website: Website, at: Endpoint) -> None:
    detail = await EndpointPublisher(at).publish(publication(), ATTEMPT)
    ((path, headers, document),) = website.requests
    assert (path, headers["idempotency-key"], detail) == (
        "/secret-path?token=secret",
        "run-1:search",
        "posted to 127.0.0.1",
    )
    assert document == {
        "campaign_id": "C-1",
        "name": "Spring sale",
        "channel": "search",
        "headline": "Spring!",
        "body": "Buy.",
        "budget": {"amount": "500.00", "currency": "EUR"},
        "starts_on": "2026-03-01",
        "ends_on": "2026-03-31",
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_a_refusal_is_for_good(website: Website, at: Endpoint, status: int) -> None:
    website.answers = [(status, b"")]
    with pytest.raises(EndpointRefusedError, match=f"127.0.0.1 answered {status}"):
        await at.post({}, {})


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503])
async def test_a_failure_may_pass(website: Website, at: Endpoint, status: int) -> None:
    website.answers = [(status, b"")]
    with pytest.raises(EndpointFailedError, match=f"127.0.0.1 answered {status}"):
        await at.post({}, {})


async def test_an_endpoint_that_is_away_may_come_back_and_its_url_does_not_show(client: httpx.AsyncClient) -> None:
    with pytest.raises(EndpointFailedError) as failure:
        await Endpoint(client, "http://127.0.0.1:1/secret").post({}, {})
    assert str(failure.value) == "127.0.0.1 did not answer: ConnectError"
    assert failure.value.__cause__ is None


async def test_an_endless_answer_is_not_read_to_its_end(website: Website, at: Endpoint) -> None:
    website.answers = [(200, b"x" * (endpoint.ANSWER_BYTES_MAX + 1))]
    with pytest.raises(EndpointFailedError, match="more than"):
        await at.post({}, {})


async def test_a_model_writes_headline_and_text(website: Website, at: Endpoint) -> None:
    website.answers = [completion("Spring is here\n\nCome and see.")]
    written = await ModelWriter(at, "asked-for", "key-1").write(wanted("social"))
    ((_, headers, request),) = website.requests
    assert written == Content(channel="social", headline="Spring is here", body="Come and see.", model="tiny-1")
    assert (request["model"], headers["authorization"]) == ("asked-for", "Bearer key-1")
    assert "Everything is cheaper in spring." in request["messages"][1]["content"]


async def test_without_a_model_s_name_the_endpoint_chooses(website: Website, at: Endpoint) -> None:
    website.answers = [completion("One line")]
    written = await ModelWriter(at).write(wanted())
    ((_, headers, request),) = website.requests
    assert ("model" in request, "authorization" in headers) == (False, False)
    assert (written.headline, written.body) == ("One line", "One line")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {}}]}',
        completion("")[1],
        completion(None)[1],
    ],
)
async def test_an_answer_without_content_is_a_failure(website: Website, at: Endpoint, answer: bytes) -> None:
    website.answers = [(200, answer)]
    with pytest.raises(EndpointFailedError):
        await ModelWriter(at).write(wanted())


async def test_what_a_model_writes_is_bounded(website: Website, at: Endpoint) -> None:
    website.answers = [completion("h" * 1_000 + "\n" + "b" * 50_000)]
    written = await ModelWriter(at).write(wanted())
    assert (len(written.headline), len(written.body)) == (content.HEADLINE_CHARACTERS_MAX, content.BODY_CHARACTERS_MAX)


async def test_the_template_says_what_the_campaign_says() -> None:
    written = [await TemplateWriter().write(wanted(channel)) for channel in CHANNELS]
    assert {(one.headline, one.model) for one in written} == {("Spring sale", "template")}
    assert len({one.body for one in written}) == len(CHANNELS)

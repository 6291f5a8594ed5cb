"""Campaigns: content from a model, channels that work and one that does not."""

from typing import Any

from tests.acceptance import commands, contract, endpoint
from tests.acceptance.commands import fresh
from tests.acceptance.conftest import Line


def published(line: Line, number: str) -> dict[str, tuple[str, str]]:
    channels: list[dict[str, Any]] = line.journal.one("campaign.published", key=number).data["channels"]
    return {channel["channel"]: (channel["status"], channel["detail"]) for channel in channels}


def test_a_channel_that_fails_for_good_is_reported_and_the_others_stand(line: Line) -> None:
    number = fresh(endpoint.REFUSED)
    audience = [f"one-{number}@example.com", f"two-{number}@example.com"]
    line.producer.send(commands.campaign(number, "email", "search", "social", "display", audience=audience))
    line.journal.one("workflow.completed", key=f"campaign-{number}")

    channels = published(line, number)
    assert {name: status for name, (status, _) in channels.items()} == {
        "email": "published",
        "search": "failed",
        "social": "published",
        "display": "published",
    }
    assert "422" in channels["search"][1]
    assert len(line.endpoint.posts_about("/search", number)) == 1
    assert len(line.endpoint.posts_about("/social", number)) == 1
    mails = [mail for mail in line.mail.messages() if number in str(mail["To"])]
    assert sorted(str(mail["To"]) for mail in mails) == audience
    assert line.view.query(f"campaign-{number}", "status") == {"status": "published"}


def test_a_channel_that_fails_once_is_tried_again_with_the_same_key(line: Line) -> None:
    number = fresh(endpoint.FLAKY)
    line.producer.send(commands.campaign(number, "social"))
    assert published(line, number)["social"][0] == "published"
    keys = [headers["idempotency-key"] for headers, _ in line.endpoint.posts_about("/social", number)]
    assert (len(keys), len(set(keys))) == (2, 1)


def test_content_comes_from_the_endpoint_that_is_configured(line: Line) -> None:
    number = fresh("written")
    line.producer.send(commands.campaign(number, "social"))
    line.journal.one("campaign.published", key=number)
    ((headers, request),) = line.endpoint.posts_about("/v1/chat/completions", number)
    assert (headers["authorization"], request["model"]) == (f"Bearer {endpoint.KEY}", endpoint.MODEL)
    ((_, post),) = line.endpoint.posts_about("/social", number)
    assert (post["headline"], post["body"]) == ("Engines!", "Written by a model.")


def test_a_refused_campaign_is_not_published(line: Line) -> None:
    number = fresh("no")
    line.producer.send(commands.campaign(number, "social", approval=True))
    line.journal.one("campaign.approval_requested", key=number)
    assert line.view.query(f"campaign-{number}", "status") == {"status": "awaiting_approval"}
    line.producer.send(commands.approve("campaign", number, approved=False, comment="Dull."))
    line.journal.one("workflow.completed", key=f"campaign-{number}")
    assert line.journal.one("campaign.rejected", key=number).data["reason"] == "Dull."
    assert line.journal.events("campaign.published", key=number) == []
    assert line.endpoint.posts_about("/social", number) == []


def test_a_campaign_that_nobody_can_write_fails_and_may_run_again(line: Line) -> None:
    number = fresh("again")
    broken = line.producer.send(commands.campaign(number, brief=endpoint.UNWRITABLE))
    failed = line.journal.one("workflow.failed", key=f"campaign-{number}")
    run_id = line.journal.one("command.accepted", cause=broken.id).data["run_id"]
    failure = failed.data["failure"]
    assert "400" in failure["message"]
    contract.check_ended(failed, broken, run_id, "failed", failure)

    mended = line.producer.send(commands.campaign(number))
    completed = line.journal.one("workflow.completed", key=f"campaign-{number}")
    second = line.journal.one("command.accepted", cause=mended.id).data["run_id"]
    contract.check_ended(completed, mended, second, "completed")
    assert set(line.view.runs_of(f"campaign-{number}")) == {run_id, second}

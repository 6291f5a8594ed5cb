"""Each of the seven commands, from a producer that is not ours, in each form: every outcome, word by word."""

import pytest

from tests.acceptance import commands, contract
from tests.acceptance.commands import LARGE, LIMIT, TRACED, fresh
from tests.acceptance.conftest import Line
from tests.acceptance.endpoint import MODEL
from tests.acceptance.journal import Record
from tests.acceptance.producer import FORMS, Command, Form, Sent

every_form = pytest.mark.parametrize("form", FORMS)


def traced(command: Command) -> Command:
    return Command(command.type, command.data, extensions=TRACED)


def types(records: list[Record]) -> list[str | None]:
    return [record.type for record in records]


def check_began(line: Line, sent: Sent) -> str:
    """Hold the reply to a command that began a run, and the run's start; return the run id."""
    reply = line.journal.one("command.accepted", cause=sent.id)
    run_id = str(reply.data["run_id"])
    contract.check_reply(reply, sent, "accepted", run_id=run_id)
    started = line.journal.one("workflow.started", subject=sent.command.workflow_id)
    contract.check_started(started, sent, run_id)
    return run_id


@every_form
def test_an_invoice_over_the_limit_is_approved_sent_and_recorded(line: Line, form: Form) -> None:
    number = fresh("approved")
    process = line.producer.send(traced(commands.invoice(number, LARGE)), form)
    line.journal.one("invoice.approval_requested", key=number)
    approve = line.producer.send(traced(commands.approve("invoice", number, comment="Fine.")), form)
    ended = line.journal.one("workflow.completed", key=f"invoice-{number}")

    run_id = check_began(line, process)
    contract.check_ended(ended, process, run_id, "completed")
    contract.check_reply(line.journal.one("command.accepted", cause=approve.id), approve, "accepted", run_id=run_id)
    ids = line.view.event_ids(f"invoice-{number}", run_id)
    validated, requested, approved, sent, recorded = line.journal.events(key=number)
    money = {"total": LARGE, "currency": "EUR"}
    contract.check_domain(validated, process, run_id, ids, **money)
    contract.check_domain(requested, process, run_id, ids, **money, limit=str(LIMIT))
    contract.check_domain(approved, approve, run_id, ids, by="cfo@example.com", comment="Fine.")
    contract.check_domain(sent, process, run_id, ids, to=f"{number}@example.com")
    contract.check_domain(recorded, process, run_id, ids, **money)
    assert types([validated, requested, approved, sent, recorded]) == [
        "invoice.validated",
        "invoice.approval_requested",
        "invoice.approved",
        "invoice.sent",
        "invoice.recorded",
    ]


@every_form
def test_an_invoice_that_waits_is_cancelled(line: Line, form: Form) -> None:
    number = fresh("cancelled")
    process = line.producer.send(traced(commands.invoice(number, LARGE)), form)
    line.journal.one("invoice.approval_requested", key=number)
    cancel = line.producer.send(traced(commands.cancel("invoice", number, reason="By mistake.")), form)
    ended = line.journal.one("workflow.cancelled", key=f"invoice-{number}")

    run_id = check_began(line, process)
    contract.check_ended(ended, process, run_id, "cancelled")
    contract.check_reply(line.journal.one("command.accepted", cause=cancel.id), cancel, "accepted", run_id=run_id)
    events = line.journal.events(key=number)
    assert types(events) == ["invoice.validated", "invoice.approval_requested", "invoice.cancelled"]
    ids = line.view.event_ids(f"invoice-{number}", run_id)
    contract.check_domain(events[-1], process, run_id, ids, reason="By mistake.")


@every_form
def test_a_campaign_is_written_approved_and_published(line: Line, form: Form) -> None:
    number = fresh("spring")
    create = line.producer.send(traced(commands.campaign(number, "social", "display", approval=True)), form)
    line.journal.one("campaign.approval_requested", key=number)
    approve = line.producer.send(traced(commands.approve("campaign", number)), form)
    ended = line.journal.one("workflow.completed", key=f"campaign-{number}")

    run_id = check_began(line, create)
    contract.check_ended(ended, create, run_id, "completed")
    contract.check_reply(line.journal.one("command.accepted", cause=approve.id), approve, "accepted", run_id=run_id)
    ids = line.view.event_ids(f"campaign-{number}", run_id)
    created, written, requested, approved, published = line.journal.events(key=number)
    contract.check_domain(created, create, run_id, ids, name=f"Campaign {number}", channels=["social", "display"])
    contract.check_domain(written, create, run_id, ids, channels=["social", "display"], model=MODEL)
    contract.check_domain(requested, create, run_id, ids, name=f"Campaign {number}")
    contract.check_domain(approved, approve, run_id, ids, by="cfo@example.com")
    contract.check_domain(published, create, run_id, ids)
    assert [(channel["channel"], channel["status"]) for channel in published.data["channels"]] == [
        ("social", "published"),
        ("display", "published"),
    ]
    assert types([created, written, requested, approved, published]) == [
        "campaign.created",
        "campaign.content_generated",
        "campaign.approval_requested",
        "campaign.approved",
        "campaign.published",
    ]


@every_form
def test_a_campaign_that_waits_is_cancelled(line: Line, form: Form) -> None:
    number = fresh("autumn")
    create = line.producer.send(traced(commands.campaign(number, approval=True)), form)
    line.journal.one("campaign.approval_requested", key=number)
    cancel = line.producer.send(traced(commands.cancel("campaign", number, reason="No budget.")), form)
    ended = line.journal.one("workflow.cancelled", key=f"campaign-{number}")

    run_id = check_began(line, create)
    contract.check_ended(ended, create, run_id, "cancelled")
    contract.check_reply(line.journal.one("command.accepted", cause=cancel.id), cancel, "accepted", run_id=run_id)
    *_, cancelled = line.journal.events(key=number)
    assert cancelled.type == "campaign.cancelled"
    ids = line.view.event_ids(f"campaign-{number}", run_id)
    contract.check_domain(cancelled, create, run_id, ids, reason="No budget.")


@every_form
def test_a_lead_is_scored_twice_by_one_run(line: Line, form: Form) -> None:
    number = fresh("lead")
    first = line.producer.send(traced(commands.lead(number)), form)
    scored = line.journal.one("lead.scored", key=number)
    second = line.producer.send(traced(commands.lead(number, ["form_submit"])), form)
    line.journal.wait_for(2, "lead.scored", key=number)

    run_id = check_began(line, first)
    contract.check_reply(line.journal.one("command.accepted", cause=second.id), second, "accepted", run_id=run_id)
    ids = line.view.event_ids(f"lead-{number}", run_id)
    again = line.journal.one("lead.scored", cause=second.id)
    contract.check_domain(scored, first, run_id, ids, previous=0, command_id=first.id)
    contract.check_domain(again, second, run_id, ids, previous=scored.data["score"], command_id=second.id)


def test_a_plain_traceparent_header_goes_before_the_events_own(line: Line) -> None:
    number = fresh("lead")
    command = Command(
        "lead.score", commands.lead(number).data, extensions={"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    )
    value = b'{"lead_id": "%s", "activities": [{"kind": "page_view", "occurred_at": "2026-11-01T12:00:00Z"}]}'
    headers: list[tuple[str, bytes | None]] = [
        *((f"ce_{name}", text.encode()) for name, text in command.extensions.items()),
        *(("ce_specversion", b"1.0"), ("ce_id", command.id.encode()), ("ce_source", b"/x"), ("ce_type", b"lead.score")),
        ("traceparent", TRACED["traceparent"].encode()),
    ]
    line.producer.send_raw("lead.score", number.encode(), value % number.encode(), headers)
    scored = line.journal.one("lead.scored", key=number)
    assert scored.attributes["traceparent"].split("-")[1] == commands.TRACE


def test_a_malformed_traceparent_is_dropped(line: Line) -> None:
    number = fresh("lead")
    sent = line.producer.send(Command("lead.score", commands.lead(number).data, extensions={"traceparent": "00-x"}))
    scored = line.journal.one("lead.scored", cause=sent.id)
    assert contract.TRACEPARENT.fullmatch(scored.attributes["traceparent"])


def test_unknown_fields_are_ignored(line: Line) -> None:
    number = fresh("lead")
    sent = line.producer.send(commands.lead(number, campaign={"id": 7}))
    assert line.journal.one("lead.scored", cause=sent.id).data["lead_id"] == number


def test_the_key_of_the_record_does_not_decide(line: Line) -> None:
    number = fresh("lead")
    value = b'{"lead_id": "%s", "activities": [{"kind": "page_view", "occurred_at": "2026-11-01T12:00:00Z"}]}'
    line.producer.send_raw("lead.score", None, value % number.encode(), [("nothing", None)])
    assert line.journal.one("lead.scored", key=number).key == number.encode()

from decimal import Decimal

from bridge import routes
from bridge.dev.samples import fresh
from topics import tables

DOMAINS = tuple(domain.name for domain in tables.DOMAINS)
SAMPLES = fresh.samples(DOMAINS, Decimal(10000))


def test_the_samples_hold_every_command() -> None:
    assert {step.command for sample in SAMPLES for step in sample.steps} == set(tables.COMMANDS)


def test_the_samples_lead_to_every_domain_event() -> None:
    expected = {event for sample in SAMPLES for event in sample.expected if event in tables.EVENTS}
    assert expected | {"campaign.rejected"} == set(tables.EVENTS)  # a refusal is shown with an invoice


def test_the_samples_expect_nothing_that_is_not_in_the_tables() -> None:
    known = {*tables.EVENTS, *tables.LIFECYCLE_MODELS, *tables.REPLY_MODELS}
    assert {event for sample in SAMPLES for event in sample.expected} - known == set()


def test_each_command_carries_its_model_and_its_business_id() -> None:
    for sample in SAMPLES:
        for step in sample.steps:
            command = tables.COMMANDS[step.command]
            assert isinstance(step.data, command.model)
            assert getattr(step.data, command.key) == sample.business_id


def test_the_workflow_id_is_the_routes() -> None:
    table = routes.table(DOMAINS)
    for sample in SAMPLES:
        for step in sample.steps:
            route = table.for_command(step.command)
            assert route is not None
            assert route.id_template.fill(step.data.model_dump()) == sample.workflow_id


def test_two_starts_share_no_business_id() -> None:
    again = fresh.samples(DOMAINS, Decimal(10000))
    assert {sample.business_id for sample in SAMPLES} & {sample.business_id for sample in again} == set()


def test_only_domains_that_run_have_samples() -> None:
    assert {sample.domain for sample in fresh.samples(["lead"], Decimal(10000))} == {"lead"}


def test_invoices_stay_on_their_side_of_another_limit() -> None:
    prices = [
        line.unit_price
        for sample in fresh.samples(["invoice"], Decimal(50))
        for step in sample.steps
        if step.command == "invoice.process"
        for line in step.data.lines[:1]  # type: ignore[attr-defined]  # the model of invoice.process
    ]
    assert prices == [Decimal("25.00"), Decimal(1050), Decimal(1050), Decimal(1050)]

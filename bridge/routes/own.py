"""The rows of our three domains."""

from bridge.routes.checker import ModelChecker
from bridge.routes.route import Route, Verb
from topics import tables


def _own(command: str, verb: Verb, *, id: str, **rest: str) -> Route:  # noqa: A002 - the route's own word
    checker = ModelChecker(tables.COMMANDS[command].model)
    return Route(command=command, verb=verb, id=id, checker=checker, **rest)  # type: ignore[arg-type]  # all of `rest` are text


OWN: tuple[Route, ...] = (
    _own("invoice.process", Verb.START, id="invoice-{invoice_id}", workflow="InvoiceProcessing", task_queue="finance"),
    _own("invoice.approve", Verb.SIGNAL, id="invoice-{invoice_id}", signal="approve"),
    _own("invoice.cancel", Verb.CANCEL, id="invoice-{invoice_id}"),
    _own(
        "campaign.create", Verb.START, id="campaign-{campaign_id}", workflow="CampaignCreation", task_queue="campaigns"
    ),
    _own("campaign.approve", Verb.SIGNAL, id="campaign-{campaign_id}", signal="approve"),
    _own("campaign.cancel", Verb.CANCEL, id="campaign-{campaign_id}"),
    _own(
        "lead.score",
        Verb.SIGNAL_WITH_START,
        id="lead-{lead_id}",
        workflow="LeadScoring",
        task_queue="leads",
        signal="score",
    ),
)
"""The rows of the three domains."""

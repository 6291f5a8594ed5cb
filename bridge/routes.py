"""The table: which command does what to which workflow. Everything that the daemon does follows from its rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bridge import template
from topics import spec, tables
from topics.fields import Model


class Verb(StrEnum):
    """What a command does to its workflow."""

    START = "start"
    SIGNAL = "signal"
    SIGNAL_WITH_START = "signal_with_start"
    CANCEL = "cancel"

    @property
    def starts(self) -> bool:
        """Whether the verb can begin a run."""
        return self in {Verb.START, Verb.SIGNAL_WITH_START}


class Rerun(StrEnum):
    """Whether an id whose run has closed may run again."""

    NEVER = "never"
    AFTER_FAILURE = "after_failure"
    ALWAYS = "always"


class Argument(StrEnum):
    """What the workflow or the signal gets: the data as sent, or the whole CloudEvent in its JSON format."""

    DATA = "data"
    EVENT = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row. `id` is the template of the workflow id; `wait` is how long a missing target is waited for."""

    command: str
    verb: Verb
    id: str
    workflow: str | None = None
    task_queue: str | None = None
    signal: str | None = None
    topic: str = ""
    model: type[Model] | None = None
    argument: Argument = Argument.EVENT
    lifecycle: str | None = None
    rerun: Rerun = Rerun.AFTER_FAILURE
    wait: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        """Fill what follows from the command's name."""
        domain = self.command.partition(".")[0]
        object.__setattr__(self, "topic", self.topic or self.command)
        if self.lifecycle is None:
            object.__setattr__(self, "lifecycle", domain + spec.LIFECYCLE_SUFFIX)

    @property
    def id_template(self) -> template.Template:
        """The workflow id's template, parsed."""
        return template.parse(self.id)


def _own(command: str, verb: Verb, *, id: str, **rest: str) -> Route:  # noqa: A002 - the route's own word
    return Route(command=command, verb=verb, id=id, model=tables.COMMANDS[command].model, **rest)  # type: ignore[arg-type]  # all of `rest` are text


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


class Routes:
    """The rows that a deployment runs, looked up by what arrives."""

    def __init__(self, rows: Iterable[Route]) -> None:
        self.rows = tuple(rows)
        self._by_topic_and_type = {(row.topic, row.command): row for row in self.rows}
        self._by_command = {row.command: row for row in self.rows}
        self._starts = tuple((row, row.id_template) for row in self.rows if row.verb.starts)

    @property
    def topics(self) -> tuple[str, ...]:
        """Every command topic, once."""
        return tuple(dict.fromkeys(row.topic for row in self.rows))

    @property
    def lifecycle_topics(self) -> tuple[str, ...]:
        """Every topic that announces runs, once."""
        return tuple(dict.fromkeys(row.lifecycle for row in self.rows if row.lifecycle))

    def find(self, topic: str, command_type: str) -> Route | None:
        """Return the row for a CloudEvents type that arrived on `topic`."""
        return self._by_topic_and_type.get((topic, command_type))

    def for_command(self, command_type: str) -> Route | None:
        """Return the row of a command, whatever its topic."""
        return self._by_command.get(command_type)

    def topics_that_start(self, workflow_id: str) -> tuple[str, ...]:
        """Return the topics whose commands can begin a run of `workflow_id`."""
        return tuple(dict.fromkeys(row.topic for row, shape in self._starts if shape.could_be(workflow_id)))


def table(domains: Iterable[str]) -> Routes:
    """Return the rows of the domains that run, by their names."""
    names = frozenset(domains)
    return Routes(row for row in OWN if row.command.partition(".")[0] in names)

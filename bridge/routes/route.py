"""One row of the table, and the words that it is written in."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from bridge import template
from bridge.routes.checker import Checker
from topics import spec

DECRYPTED: Literal["decrypted"] = "decrypted"


class Verb(StrEnum):
    """What a command does to its workflow."""

    START = "start"
    SIGNAL = "signal"
    SIGNAL_WITH_START = "signal_with_start"
    UPDATE = "update"
    CANCEL = "cancel"
    TERMINATE = "terminate"

    @property
    def starts(self) -> bool:
        """Whether the verb by itself can begin a run."""
        return self is Verb.START or self is Verb.SIGNAL_WITH_START

    @property
    def ends(self) -> bool:
        """Whether the verb asks a run to end, and hands it nothing."""
        return self is Verb.CANCEL or self is Verb.TERMINATE


class Rerun(StrEnum):
    """Whether an id whose run has closed may run again."""

    NEVER = "never"
    AFTER_FAILURE = "after_failure"
    ALWAYS = "always"


class Argument(StrEnum):
    """What the workflow, signal or update gets: the data as sent, or the whole CloudEvent in its JSON format."""

    DATA = "data"
    EVENT = "event"


class Replies(StrEnum):
    """Which commands are answered."""

    ALL = "all"
    REJECTED = "rejected"
    NONE = "none"


class Missing(StrEnum):
    """What becomes of a command whose target is not there: it waits, it starts it, or it is dead-lettered at once."""

    WAIT = "wait"
    START = "start"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row. `id` and `fairness_key` are templates; `rate` is commands a second of each instance.

    `result` is whether the completed event carries the result, "decrypted" also that it and the failed event's message
    are told in clear where a codec has encrypted them. `wait` is how long a missing target is waited for; `namespace`
    None is the one that the daemon is told.
    """

    command: str
    verb: Verb
    id: str
    workflow: str | None = None
    task_queue: str | None = None
    signal: str | None = None
    update: str | None = None
    topic: str = ""
    checker: Checker | None = None
    argument: Argument = Argument.EVENT
    lifecycle: str | None = None
    replies: Replies = Replies.ALL
    result: bool | Literal["decrypted"] = False
    rerun: Rerun = Rerun.AFTER_FAILURE
    missing: Missing = Missing.WAIT
    wait: timedelta = timedelta(seconds=60)
    rate: float | None = None
    run_timeout: timedelta | None = None
    namespace: str | None = None
    priority: int | None = None
    fairness_key: str | None = None

    def __post_init__(self) -> None:
        """Fill what follows from the command's name."""
        domain = self.command.partition(".")[0]
        object.__setattr__(self, "topic", self.topic or self.command)
        if self.lifecycle is None:
            object.__setattr__(self, "lifecycle", domain + spec.LIFECYCLE_SUFFIX)

    @property
    def starts(self) -> bool:
        """Whether a command of this route can begin a run."""
        return self.verb.starts or self.missing is Missing.START

    @property
    def is_called_back(self) -> bool:
        """Whether Temporal can be asked to call when a run that this route began has ended; with a signal it cannot."""
        return self.verb is Verb.START or (self.verb is Verb.UPDATE and self.missing is Missing.START)

    @property
    def id_template(self) -> template.Template:
        """The workflow id's template, parsed."""
        return template.parse(self.id)

    @property
    def fairness_template(self) -> template.Template | None:
        """The fairness key's template, parsed."""
        return template.parse(self.fairness_key) if self.fairness_key is not None else None

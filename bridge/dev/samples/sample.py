"""A sample: commands about one thing, and what they must lead to."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from topics.fields import Model


@dataclass(frozen=True, slots=True)
class Step:
    """One command to publish; `after` is the event of its sample that must have arrived before."""

    command: str
    data: Model
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Commands about one business id, and how many events of which type must come of them."""

    title: str
    domain: str
    business_id: str
    steps: tuple[Step, ...]
    expected: Mapping[str, int]
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def workflow_id(self) -> str:
        """The workflow id that the routes make of the business id."""
        return f"{self.domain}-{self.business_id}"


def outcomes(*events: str, commands: int = 1, end: str | None = "workflow.completed") -> dict[str, int]:
    """Count the events of one run, the answers to its commands, its start, and its end unless it goes on."""
    counted = {"command.accepted": commands, "workflow.started": 1} | dict.fromkeys(events, 1)
    return counted | ({end: 1} if end else {})

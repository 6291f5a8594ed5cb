"""What a lead carries from one run to the next, and what its query answers."""

from datetime import datetime
from decimal import Decimal

from topics.fields import Model
from topics.lead import LeadProfile


class Heat(Model):
    """How much a lead did lately: points as they stood at `as_of`, halved with each half-life since.

    One number in place of all activities, so that a lead of many years is no larger than a new one.
    """

    points: Decimal = Decimal(0)
    as_of: datetime | None = None


class LeadState(Model):
    """Everything that the next run must know."""

    lead_id: str | None = None
    heat: Heat = Heat()
    profile: LeadProfile = LeadProfile()
    score: int = 0
    qualified: bool = False
    seen: tuple[str, ...] = ()


class LeadScoreAnswer(Model):
    """The answer to the query `score`."""

    score: int

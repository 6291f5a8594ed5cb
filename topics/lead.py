"""The lead domain: its command and the events that its workflow emits."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from topics.fields import BusinessId, Email, Model, Moment, at_most

ActivityKind = Literal["page_view", "email_open", "email_click", "form_submit", "demo_request", "unsubscribe"]


class LeadActivity(Model):
    """One thing that a lead did."""

    kind: ActivityKind
    occurred_at: Moment


class LeadProfile(Model):
    """What is known about a lead; `company_size` is a head count or a range such as "51-200"."""

    email: Email | None = None
    job_title: StrictStr | None = None
    company: StrictStr | None = None
    company_size: Annotated[StrictInt, Field(ge=0)] | StrictStr | None = None
    country: StrictStr | None = None


class LeadScore(Model):
    """Add activities to a lead, and score it again."""

    lead_id: BusinessId
    activities: Annotated[tuple[LeadActivity, ...], Field(min_length=1, max_length=1000), at_most(1000)]
    profile: LeadProfile | None = None


class LeadEvent(Model):
    """What every event of a lead tells."""

    lead_id: str
    workflow_id: str
    run_id: str


class LeadScored(LeadEvent):
    """The lead has a new score (0-100) because of the command `command_id`."""

    score: int
    previous: int
    command_id: str


class LeadQualified(LeadEvent):
    """The lead reached the qualifying score for the first time."""

    score: int

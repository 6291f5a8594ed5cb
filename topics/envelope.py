"""A CloudEvent around a command's data, as a workflow of ours takes it."""

from typing import Generic, TypeVar

from topics.fields import Model

Data = TypeVar("Data")

CLOUDEVENTS_SPECVERSION = "1.0"


class Command(Model, Generic[Data]):
    """One command: the CloudEvents attributes that matter to a workflow, and its data.

    A command's identity is (`source`, `id`). Times are RFC 3339.
    """

    id: str
    source: str
    type: str
    time: str | None = None
    subject: str | None = None
    correlationid: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    data: Data

"""A CloudEvent as a Kafka record, in binary mode."""

from typing import NamedTuple

from bridge import tracecontext
from topics.envelope import CLOUDEVENTS_SPECVERSION

SPECVERSION = CLOUDEVENTS_SPECVERSION.encode()


class OutRecord(NamedTuple):
    """A record to be written; `timestamp_ms` None means now."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int | None = None


class Cause(NamedTuple):
    """The command that an event follows from; the same for every copy of the event.

    `span` is the recorded span that the event belongs to; without one the event is a span of its own.
    """

    command_id: str
    correlation_id: str
    traceparent: str
    tracestate: str | None = None
    span: str | None = None

    def context(self, event_id: str) -> str:
        """Return the traceparent that the event carries."""
        if self.span is None:
            return tracecontext.child(self.traceparent, event_id)
        return tracecontext.with_span(self.traceparent, self.span)


def record(
    *,
    topic: str,
    key: str,
    event_id: str,
    source: str,
    type: str,  # noqa: A002 - the attribute's name
    subject: str | None,
    time: str,
    timestamp_ms: int,
    data: bytes,
    cause: Cause,
) -> OutRecord:
    """Return the event's record, `data` being its JSON text.

    Kafka protocol binding 1.0.2, section 3.2, plus plain trace headers.
    """
    parent, key_bytes = cause.context(event_id).encode(), key.encode()
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", SPECVERSION),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type.encode()),
        ("ce_time", time.encode()),
        ("ce_correlationid", cause.correlation_id.encode()),
        ("ce_partitionkey", key_bytes),
        ("ce_traceparent", parent),
        ("content-type", b"application/json"),
        ("traceparent", parent),
    ]
    if cause.command_id:  # a child may belong to no command
        headers.append(("ce_causationid", cause.command_id.encode()))
    if subject is not None:
        headers.append(("ce_subject", subject.encode()))
    if cause.tracestate is not None:
        state = cause.tracestate.encode()
        headers += (("ce_tracestate", state), ("tracestate", state))
    return OutRecord(topic, key_bytes, data, tuple(headers), timestamp_ms)

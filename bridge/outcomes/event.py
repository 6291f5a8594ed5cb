"""A CloudEvent as a Kafka record, in binary mode."""

from dataclasses import dataclass

from bridge import tracecontext
from topics.envelope import CLOUDEVENTS_SPECVERSION


@dataclass(frozen=True, slots=True)
class OutRecord:
    """A record to be written; `timestamp_ms` None means now."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The command that an event follows from; the same for every copy of the event."""

    command_id: str
    correlation_id: str
    traceparent: str
    tracestate: str | None = None


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
    traceparent = tracecontext.child(cause.traceparent, event_id)
    attributes = {
        "specversion": CLOUDEVENTS_SPECVERSION,
        "id": event_id,
        "source": source,
        "type": type,
        "subject": subject,
        "time": time,
        "correlationid": cause.correlation_id,
        "causationid": cause.command_id,
        "partitionkey": key,
        "traceparent": traceparent,
        "tracestate": cause.tracestate,
    }
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items() if value is not None]
    headers += [("content-type", b"application/json"), ("traceparent", traceparent.encode())]
    if cause.tracestate is not None:
        headers.append(("tracestate", cause.tracestate.encode()))
    return OutRecord(topic, key.encode(), data, tuple(headers), timestamp_ms)

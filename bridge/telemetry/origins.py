"""Where the trace of a record begins, and which span it had before, where it comes back from a dead-letter topic."""

from collections.abc import Mapping

from bridge import bounds, tracecontext
from bridge.command import REPLAYS_HEADER, Command
from bridge.telemetry.spans import Content
from topics import ids


def new_trace(content: Content) -> str:
    """Return the traceparent of the trace that begins with a record."""
    if isinstance(content, Command):
        return tracecontext.begun(content.request_id)
    if content.identity is not None:
        return tracecontext.begun(ids.text("request", content.identity.source, content.identity.id))
    record = content.record
    return tracecontext.begun(
        ids.text("record", record.topic, str(record.partition), str(record.offset), str(record.timestamp_ms))
    )


def replayed(content: Content, traceparent: str) -> str | None:
    """Return the span of the try before, where the record came back from a dead-letter topic."""
    if isinstance(content, Command) and not content.replayed:
        return None
    record = content.record
    origin = {name: value for name, value in record.headers if name.startswith("dlq.") and value is not None}
    if REPLAYS_HEADER not in origin:
        return None
    try:
        return tracecontext.with_span(traceparent, _span_before(origin))
    except (KeyError, ValueError, OverflowError):  # written by somebody else: a link is all that is lost
        return None


def _span_before(origin: Mapping[str, bytes]) -> str:
    topic, time_text = origin["dlq.topic"].decode(), origin["dlq.timestamp"].decode()
    partition, offset = int(origin["dlq.partition"]), int(origin["dlq.offset"])
    return tracecontext.record_span(topic, partition, offset, bounds.milliseconds(time_text))

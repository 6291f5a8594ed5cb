"""A record as the command line and the admin API show it."""

from typing import Any

from bridge.command import Record, rfc3339
from bridge.intake import decode, envelope
from bridge.intake.envelope import RefusedError


def shown(record: Record) -> dict[str, Any]:
    """Return a record as `tail` shows it; what is no CloudEvent is shown as far as it can be read."""
    data: Any
    try:
        event = envelope.read(record, decode.timestamp_id)
        attributes, data = event.attributes, event.data
    except RefusedError as refused:
        attributes, data = refused.attributes, _text(record.value)
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": rfc3339(record.timestamp_ms),
        "key": _text(record.key),
        "id": attributes.get("id"),
        "source": attributes.get("source"),
        "type": attributes.get("type"),
        "subject": attributes.get("subject"),
        "time": attributes.get("time"),
        "data": data,
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")

"""An event as a Kafka record: CloudEvents 1.0 in binary mode. Pure."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from workers.sdk import ids
from workers.sdk.command import CommandReference

Data = bytes | Mapping[str, Any]
"""JSON text, or what becomes JSON; decimals become strings."""

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})"
)
_SAMPLED = "01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """Which emit of which activity an event comes from; `time` must be one that retries keep, as copies are equal."""

    workflow_id: str
    run_id: str
    activity_id: str
    task_queue: str
    time: datetime
    number: int

    @property
    def event_id(self) -> uuid.UUID:
        """The event's id."""
        return ids.event_id("domain", self.workflow_id, self.run_id, self.activity_id, self.number)


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent to Kafka."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int
    parent: str | None = None
    """The traceparent of the command that led to the event; the event's own names the event as span."""


def build(
    topic: str, event_type: str, data: Data, *, key: str, origin: Origin, cause: CommandReference | None
) -> Record:
    """Return the record of an event that `cause` led to."""
    attributes = {
        "specversion": "1.0",
        "id": str(origin.event_id),
        "source": f"/workers/{origin.task_queue}",
        "type": event_type,
        "time": rfc3339(origin.time),
        "subject": key,
        "partitionkey": key,
    }
    trace: dict[str, str] = {}
    if cause is not None:
        attributes |= {"correlationid": cause.correlationid or cause.id, "causationid": cause.id}
        trace = _trace(cause, origin.event_id)
    headers = {f"ce_{name}": value for name, value in (attributes | trace).items()}
    headers |= trace | {"content-type": "application/json"}
    return Record(
        topic=topic,
        key=key.encode(),
        value=_json(data),
        headers=tuple((name, value.encode()) for name, value in headers.items()),
        timestamp_ms=(origin.time - _EPOCH) // timedelta(milliseconds=1),
        parent=None if cause is None or not _TRACEPARENT.match(cause.traceparent or "") else cause.traceparent,
    )


def rfc3339(time: datetime) -> str:
    """Return `time` in UTC, cut to ms."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(cause: CommandReference, event_id: uuid.UUID) -> dict[str, str]:
    """Return the W3C trace context: the command's trace, with the event as span."""
    match = _TRACEPARENT.match(cause.traceparent or "")
    span = event_id.bytes[:8].hex()
    if match is None:
        trace = ids.event_id("request", cause.source, cause.id).hex
        return {"traceparent": f"00-{trace}-{span}-{_SAMPLED}"}
    context = {"traceparent": f"00-{match['trace']}-{span}-{match['flags']}"}
    return context | ({"tracestate": cause.tracestate} if cause.tracestate else {})


def _json(data: Data) -> bytes:
    if isinstance(data, bytes):
        return data
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"An event's data cannot hold {value!r}: use JSON types or decimals.")

"""A command before it is sent: the record that it will be, judged as the daemon would judge it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge import tracecontext
from bridge.command import REPLY_WHEN, BadRecord, Record, rfc3339
from bridge.intake import jsontext
from bridge.intake.decode import Decoder
from bridge.routes import Route
from topics.envelope import CLOUDEVENTS_SPECVERSION

SOURCE = "/bridge/publish"
TRACE_VARIABLE = "TRACEPARENT"  # as OpenTelemetry's own command lines read and set it


@dataclass(frozen=True, slots=True)
class Sender:
    """What all records of one call have in common; what is None is made for each."""

    topic: str
    source: str = SOURCE
    key: str | None = None
    id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to be sent, and the identity of its command."""

    line: int
    id: str
    source: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    def problem(self, topic: str, decoder: Decoder) -> str | None:
        """Return why the daemon would refuse it, if it would."""
        judged = decoder.decode(Record(topic, 0, 0, 0, self.key, self.value, self.headers))
        return f"{judged.reason.value}: {judged.detail}" if isinstance(judged, BadRecord) else None


def make(sender: Sender, route: Route, line: int, value: bytes, *, reply_when: str | None = None) -> Draft:
    """Return the record of a CloudEvent in binary mode; its key is the business id unless told otherwise."""
    identifier = sender.id if sender.id is not None else str(uuid.uuid4())
    attributes = {
        "specversion": CLOUDEVENTS_SPECVERSION,
        "id": identifier,
        "source": sender.source,
        "type": route.command,
        "time": rfc3339(int(datetime.now(UTC).timestamp() * 1000)),
    }
    if reply_when is not None:
        attributes[REPLY_WHEN] = reply_when
    headers = [("content-type", b"application/json")]
    if sender.traceparent is not None:
        attributes["traceparent"] = sender.traceparent
        headers.append(("traceparent", sender.traceparent.encode()))
    headers += [(f"ce_{name}", _bytes(text)) for name, text in attributes.items()]
    key = sender.key if sender.key is not None else _business_id(route, value)
    return Draft(line, identifier, sender.source, None if key is None else _bytes(key), value, tuple(headers))


def traceparent(environment: Mapping[str, str]) -> str | None:
    """Return the trace that this process belongs to, if its environment names one well."""
    text = environment.get(TRACE_VARIABLE, "")
    return tracecontext.incoming(text.encode(errors="replace"), None, {})[0]


def _business_id(route: Route, value: bytes) -> str | None:
    """Return what the workflow id is made of, so that records of one workflow share a partition."""
    try:
        data = jsontext.parse(value)
        filled = route.id_template.fill(data) if isinstance(data, dict) else None
    except ValueError:
        return None
    fields = route.id_template.fields
    return filled if filled is None or len(fields) != 1 else str(data[fields[0]])


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")  # as the shell gave it, also where that is no UTF-8

"""CloudEvents 1.0 over Kafka: binary, structured, and bare JSON.

Kafka protocol binding 1.0.2: chapter 3 (the content type picks the mode), 3.2 (binary), 3.3 (structured). The
`cloudevents` package looks at the headers first and loses repeated ones, so the binding is read here.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.command import DAMAGE_DETAIL, Record
from bridge.intake import jsontext
from bridge.intake.attributes import REQUIRED, check, printable
from topics import spec
from topics.replies import DeadLetterReason

HEADER_PREFIX = "ce_"
CONTENT_TYPE = "content-type"
JSON = "application/json"
DATA_MEMBERS = frozenset({"data", "data_base64"})  # of the JSON format: no attribute may have these names
STRUCTURED = "application/cloudevents"

_JSON_TYPE = re.compile(r"\s*([\w.+-]+/)?([\w.-]+\+)?json\s*(;.*)?", re.IGNORECASE | re.DOTALL)
_STRUCTURED_JSON = re.compile(r"application/cloudevents(\+json)?\s*(;.*)?", re.IGNORECASE | re.DOTALL)


class RefusedError(ValueError):
    """A record that cannot be a command: its dead-letter reason, and a detail that holds nothing of the payload.

    `attributes` are the event's, as far as they were read: the reply to a bad command needs its id.
    """

    def __init__(self, reason: DeadLetterReason, detail: str, attributes: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.attributes = attributes or {}


@dataclass(slots=True)
class Envelope:
    """A CloudEvent: its attributes as text, its data parsed and as sent, and the other headers of its record."""

    attributes: Mapping[str, str]
    data: Any
    data_text: bytes
    headers: Mapping[str, bytes]


@dataclass(slots=True)
class _Headers:
    """What the headers hold, read in one pass: attributes and what is wrong with them, and the first of each other."""

    attributes: dict[str, str]
    problems: list[str]
    others: dict[str, bytes]
    is_binary: bool = False
    has_two_content_types: bool = False


def read(record: Record, timestamp_id: Callable[[Record], str]) -> Envelope:
    """Return the CloudEvent of a record; `timestamp_id` gives the id of bare JSON. Raises `RefusedError`."""
    headers = _headers(record)
    content_type = _content_type(headers)
    if record.damage is not None:
        raise RefusedError(DeadLetterReason.UNDECODABLE, f"{DAMAGE_DETAIL}{record.damage}", headers.attributes)
    text = record.value or b""
    is_structured = content_type is not None and content_type.lower().startswith(STRUCTURED)
    if len(text) > spec.COMMAND_VALUE_BYTES_MAX:
        detail = f"value: {len(text)} bytes, at most {spec.COMMAND_VALUE_BYTES_MAX}"
        raise RefusedError(DeadLetterReason.TOO_LARGE, detail, None if is_structured else headers.attributes)
    if content_type is not None and is_structured:
        return _structured(text, content_type, headers)
    if headers.is_binary:
        return _binary(text, content_type, headers)
    _require_json(content_type)
    attributes = {"id": timestamp_id(record), "source": f"/kafka/{record.topic}", "type": record.topic}
    return Envelope(attributes, _parse(text), text, headers.others)


def _headers(record: Record) -> _Headers:
    found = _Headers({}, [], {})
    attributes, others = found.attributes, found.others
    for header, value in record.headers:
        if header[:3] != HEADER_PREFIX:
            if value is not None and others.setdefault(header, value) != value and header == CONTENT_TYPE:
                found.has_two_content_types = True
            continue
        found.is_binary = True
        name = header[3:]
        if value is None or name in DATA_MEMBERS:
            continue
        try:
            text = value.decode()
        except UnicodeDecodeError:
            found.problems.append(f"{printable(name)}: is not UTF-8 text")
            continue
        if attributes.setdefault(name, text) != text:
            found.problems.append(f"{printable(name)}: is there twice with different values")
    return found


def _content_type(headers: _Headers) -> str | None:
    if headers.has_two_content_types:
        detail = f"{CONTENT_TYPE}: is there twice with different values"
        raise RefusedError(DeadLetterReason.INVALID, detail, headers.attributes)
    value = headers.others.get(CONTENT_TYPE)
    return None if value is None else value.decode(errors="replace").strip()


def _require_json(content_type: str | None, attributes: Mapping[str, str] | None = None) -> None:
    if content_type and content_type != JSON and not _JSON_TYPE.fullmatch(content_type):
        raise RefusedError(DeadLetterReason.UNDECODABLE, "content-type: is not JSON", attributes)


def _parse(text: bytes, attributes: Mapping[str, str] | None = None) -> Any:
    try:
        return jsontext.parse(text)
    except ValueError as error:
        detail = f"value: no JSON text: {_without_payload(error)}"
        raise RefusedError(DeadLetterReason.UNDECODABLE, detail, attributes) from None


def _without_payload(error: ValueError) -> str:
    # jiter quotes the name that is there twice, whatever characters it has.
    return re.sub(r'".*"', "a name", str(error), flags=re.DOTALL)[:200]


def _binary(text: bytes, content_type: str | None, headers: _Headers) -> Envelope:
    attributes = headers.attributes
    problems = headers.problems + check(attributes)
    if problems:
        raise RefusedError(DeadLetterReason.INVALID, "; ".join(problems), attributes)
    _require_json(content_type, attributes)
    return Envelope(attributes, _parse(text, attributes), text, headers.others)


def _structured(text: bytes, content_type: str, headers: _Headers) -> Envelope:
    if not _STRUCTURED_JSON.fullmatch(content_type):
        raise RefusedError(DeadLetterReason.UNDECODABLE, "content-type: only application/cloudevents+json is read")
    event = _parse(text)
    if not isinstance(event, dict):
        raise RefusedError(DeadLetterReason.INVALID, "value: a CloudEvent must be a JSON object")
    attributes, problems = _members(event)
    problems += check(attributes)
    if "data" in event and "data_base64" in event:
        problems.append("data, data_base64: only one of them may be there")
    if problems:
        raise RefusedError(DeadLetterReason.INVALID, "; ".join(problems), attributes)
    if "data_base64" in event:
        decoded = _base64(event["data_base64"], attributes)
        return Envelope(attributes, _parse(decoded, attributes), decoded, headers.others)
    _require_json(attributes.get("datacontenttype"), attributes)
    data_text = jsontext.member(text, "data") or b"null"
    return Envelope(attributes, event.get("data"), data_text, headers.others)


def _members(event: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    attributes: dict[str, str] = {}
    problems: list[str] = []
    for name, value in event.items():
        if name in DATA_MEMBERS or value is None:
            continue
        if isinstance(value, str):
            attributes[name] = value
        elif isinstance(value, bool):
            attributes[name] = "true" if value else "false"
        elif isinstance(value, int):
            attributes[name] = str(value)
        else:
            problems.append(f"{printable(name)}: an attribute must be text, an integer or a boolean")
    problems += [
        f"{name}: must be text" for name in REQUIRED if event.get(name) is not None and not isinstance(event[name], str)
    ]
    return attributes, problems


def _base64(value: Any, attributes: Mapping[str, str]) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise RefusedError(DeadLetterReason.UNDECODABLE, "data_base64: no base64 text", attributes) from None

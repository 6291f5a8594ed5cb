"""Records and commands as the tests need them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bridge import routes
from bridge.command import BadRecord, Command, Record, Skipped
from bridge.intake.decode import Decoder
from bridge.routes import Route, Routes

RECORDED_MS = 1_795_255_200_123
RECORDED = "2026-11-21T10:00:00.123Z"
ROUTES = routes.table(("invoice", "campaign", "lead"))
APPROVE: Mapping[str, Any] = {"invoice_id": "I-1", "by": "ada"}
ATTRIBUTES: Mapping[str, str] = {"specversion": "1.0", "id": "c-1", "source": "/shop", "type": "invoice.approve"}

Headers = Sequence[tuple[str, bytes | None]]


def binary(attributes: Mapping[str, str] = ATTRIBUTES, /, **changed: str | None) -> Headers:
    """Return the headers of a binary event; an attribute changed to None is left out."""
    return tuple((f"ce_{name}", text.encode()) for name, text in _changed(attributes, changed).items())


def structured(data: Any = APPROVE, **changed: Any) -> bytes:
    """Return the value of a structured event; an attribute changed to None is left out."""
    return json.dumps({**_changed(ATTRIBUTES, changed), "data": data}).encode()


def _changed(attributes: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**attributes, **changed}.items() if value is not None}


STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)


def record(
    value: bytes | None = json.dumps(APPROVE).encode(),
    headers: Headers = (),
    *,
    topic: str = "invoice.approve",
    key: bytes | None = b"I-1",
    partition: int = 2,
    offset: int = 41,
    timestamp_ms: int = RECORDED_MS,
) -> Record:
    return Record(topic, partition, offset, timestamp_ms, key, value, tuple(headers))


def decode(
    record: Record, *, rows: Sequence[Route] | None = None, skip: Sequence[str] = (), reply_topics: Sequence[str] = ()
) -> Command | BadRecord | Skipped:
    table = ROUTES if rows is None else Routes(rows)
    return Decoder(table, frozenset(skip), frozenset(reply_topics)).decode(record)


def command(record: Record, **options: Any) -> Command:
    """Return the command that a sound record is."""
    found = decode(record, **options)
    assert isinstance(found, Command), found
    return found


def refusal(record: Record, **options: Any) -> tuple[str, str]:
    """Return the reason and the detail of a record that is no command."""
    found = decode(record, **options)
    assert isinstance(found, BadRecord), found
    return found.reason.value, found.detail

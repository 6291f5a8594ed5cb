"""A dead letter as it is told to people and programs."""

import base64
from typing import Any

from bridge.command import Record, rfc3339
from bridge.deadletter import letter as letters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter


def fields(letter: Letter, state: State) -> dict[str, Any]:
    """Return what is told of a letter; `letter` and `original` are their places."""
    topic, partition, offset = letter.place
    origin = letter.origin
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": rfc3339(letter.timestamp_ms),
        "letter": letters.named(letter.place),
        "original": None if origin is None else letters.named(origin.place),
        "original_timestamp": None if origin is None else origin.timestamp,
        "reason": letter.reason,
        "detail": letter.detail,
        "key": text(letter.key),
        "id": letter.id,
        "source": letter.source,
        "type": letter.type,
        "group": letter.group,
        "attempts": letter.attempts,
        "failed_at": letter.failed_at,
        "replays": letter.replays,
        "size_bytes": letter.size_bytes,
        "state": state.value,
        "obstacle": letter.obstacle,
    }


def whole(letter: Letter, record: Record, state: State) -> dict[str, Any]:
    """Return everything, the content of the original included; bytes that are no text are in base64."""
    was = letters.original(record)
    return {
        **fields(letter, state),
        "key": text(was.key),
        "headers": [{"name": name, **_bytes("value", value)} for name, value in was.headers],
        **_bytes("value", was.value),
    }


def text(value: bytes | None) -> str | None:
    """Return bytes as text, what is none of it as escapes."""
    return None if value is None else value.decode(errors="backslashreplace")


def _bytes(name: str, value: bytes | None) -> dict[str, str | None]:
    try:
        return {name: None if value is None else value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value or b"").decode()}

"""A dead letter as `bridge dlq` prints it."""

import base64
from collections.abc import Mapping
from typing import Any

from bridge.cli import output
from bridge.command import Record, rfc3339
from bridge.deadletter import letter as letters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter

LISTED = {"timestamp": 24, "reason": 14, "letter": 26, "original": 22, "key": 16, "id": 36, "detail": 0}
PLANNED = {"original": 22, "letter": 26, "reason": 14, "key": 16, "id": 36, "replays": 7, "obstacle": 0}
DETAIL_SHOWN = 160


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


def short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose detail fits a line of a table."""
    detail = str(row["detail"])
    return {**row, "detail": detail if len(detail) <= DETAIL_SHOWN else detail[:DETAIL_SHOWN] + " ..."}


def whole(letter: Letter, record: Record, state: State) -> dict[str, Any]:
    """Return everything, the content of the original included; bytes that are no text are in base64."""
    was = letters.original(record)
    return {
        **fields(letter, state),
        "key": text(was.key),
        "headers": [{"name": name, **_bytes("value", value)} for name, value in was.headers],
        **_bytes("value", was.value),
    }


def page(letter: Letter, record: Record, state: State) -> list[str]:
    """Return everything as lines for people; nothing in them reaches a terminal raw."""
    was = letters.original(record)
    told = {**fields(letter, state), "key": text(was.key)}
    lines = [f"{output.bold(name)}: {output.cell(told[name])}" for name in told if told[name] not in (None, "")]
    lines.append(output.bold("headers") + ":" + ("" if was.headers else " none"))
    lines += [f"  {output.escape(name)}: {output.cell(_shown(value))}" for name, value in was.headers]
    value = "null" if was.value is None else output.escape(text(was.value) or "", keep="\n")
    lines.append(output.bold("value") + f" ({len(was.value or b'')} bytes):")
    return [*lines, value]


def text(value: bytes | None) -> str | None:
    """Return bytes as text, what is none of it as escapes."""
    return None if value is None else value.decode(errors="backslashreplace")


def _shown(value: bytes | None) -> str:
    return "null" if value is None else (text(value) or "")


def _bytes(name: str, value: bytes | None) -> dict[str, str | None]:
    try:
        return {name: None if value is None else value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value or b"").decode()}

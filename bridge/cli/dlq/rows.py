"""A dead letter as `bridge dlq` prints it."""

from collections.abc import Mapping
from typing import Any

from bridge.cli import output
from bridge.command import Record
from bridge.deadletter import letter as letters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter
from bridge.deadletter.told import fields, text

LISTED = {"timestamp": 24, "reason": 14, "letter": 26, "original": 22, "key": 16, "id": 36, "detail": 0}
PLANNED = {"original": 22, "letter": 26, "reason": 14, "key": 16, "id": 36, "replays": 7, "obstacle": 0}
DETAIL_SHOWN = 160


def short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose detail fits a line of a table."""
    detail = str(row["detail"])
    return {**row, "detail": detail if len(detail) <= DETAIL_SHOWN else detail[:DETAIL_SHOWN] + " ..."}


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


def _shown(value: bytes | None) -> str:
    return "null" if value is None else (text(value) or "")

"""What the routes of bridge.toml add to the contract: their commands, and the schemas of those."""

import re
from collections.abc import Iterable
from typing import Any

from bridge.routes import Route
from bridge.routes.checker import ModelChecker

Schema = dict[str, Any]

_OUTSIDE_OF_KEYS = re.compile(r"[^A-Za-z0-9._-]")


def rows(table: Iterable[Route]) -> tuple[Route, ...]:
    """Return the rows that are none of ours."""
    return tuple(row for row in table if not isinstance(row.checker, ModelChecker))


def key(command: str) -> str:
    """Return a command's name as AsyncAPI takes it for a key."""
    return _OUTSIDE_OF_KEYS.sub("_", command)


def schema(row: Route) -> Schema:
    """Return the schema of a command's data; its own `$id` lets its references lead within it wherever it stands."""
    found = row.checker.schema() if row.checker is not None else {"type": "object"}
    return {"$id": f"urn:kafka-temporal-bridge:{key(row.command)}", **found}


def summary(row: Route) -> str:
    """Return what a command does, in a line."""
    name = row.signal or row.update or row.workflow
    return f"{row.verb.value.replace('_', ' ')}{f' {name}' if name else ''}, workflow id {row.id}"

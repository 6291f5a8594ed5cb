"""`bridge routes`: the table that the daemon follows."""

import dataclasses
from datetime import timedelta
from enum import StrEnum

from bridge.cli import environment, output
from bridge.routes import Route

COLUMNS = ("command", "topic", "verb", "workflow", "task_queue", "signal", "update", "id", "lifecycle", "rerun", "wait")


def routes(*, form: output.Format = "table") -> int:
    """Show which command does what to which workflow, those of bridge.toml included.

    JSON tells every key of a route; the table has no room for all of them.

    For example:
        bridge routes

        bridge routes -o json | jq -r .task_queue
    """
    loaded = environment.load()
    output.show(form, COLUMNS, (_row(row) for row in loaded.routes.rows))
    return 0


def _row(route: Route) -> output.Row:
    shown = {field.name: _plain(getattr(route, field.name)) for field in dataclasses.fields(Route)}
    return shown | {"checker": route.checker.name if route.checker is not None else None}


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    return value.value if isinstance(value, StrEnum) else value

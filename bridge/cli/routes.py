"""`bridge routes`: the table that the daemon follows."""

from bridge import routes as table
from bridge.cli import environment, output

COLUMNS = ("command", "topic", "verb", "workflow", "task_queue", "signal", "id", "lifecycle", "rerun", "wait")


def routes(*, form: output.Format = "table") -> int:
    """Show which command does what to which workflow.

    For example:
        bridge routes

        bridge routes -o json | jq -r .task_queue
    """
    loaded = environment.load()
    output.show(form, COLUMNS, (_row(row) for row in table.table(loaded.domains).rows))
    return 0


def _row(route: table.Route) -> output.Row:
    row = {name: getattr(route, name) for name in COLUMNS}
    return row | {"verb": route.verb.value, "rerun": route.rerun.value, "wait": int(route.wait.total_seconds())}

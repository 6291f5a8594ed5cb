"""What a deployment is told: the routes of its file, and whether Temporal may call it back."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from tests.lifecycle import plays
from tests.servers import ports

Verbs: TypeAlias = Mapping[str, Mapping[str, Any]]

VERBS: Verbs = {
    "begin": {"verb": "start", "workflow": plays.WORKFLOW, "result": True},
    "brief": {"verb": "start", "workflow": plays.WORKFLOW, "run_timeout": plays.RUN_TIMEOUT.total_seconds()},
    "tell": {"verb": "signal", "signal": plays.SIGNAL},
    "join": {"verb": "signal_with_start", "workflow": plays.WORKFLOW, "signal": plays.SIGNAL},
    "stop": {"verb": "cancel"},
    "end": {"verb": "terminate"},
}
"""The commands, without the prefix that is the first word of their types."""
UNSERVED: Verbs = {
    "leave": {"verb": "start", "workflow": plays.WORKFLOW},
    "late": {"verb": "start", "workflow": plays.WORKFLOW, "run_timeout": plays.LATE_TIMEOUT.total_seconds()},
}
"""More of them, whose runs wait for a worker that never comes."""


def callbacks(mode: str) -> dict[str, str]:
    """Return how a member is told of callbacks; the server allows those to 127.0.0.1 alone."""
    if mode == "sweep":
        return {}
    port = ports.free()
    host = {"callbacks": "127.0.0.1", "refused": "localhost"}[mode]
    return {
        "BRIDGE_CALLBACK_URL": f"http://{host}:{port}",
        "BRIDGE_CALLBACK_ADDRESS": f"127.0.0.1:{port}",
        "BRIDGE_CALLBACK_SECRET": "one-of-the-tests",
    }


def routes(prefix: str, queue: str, verbs: Verbs) -> str:
    """Return the deployment's file."""
    common = {"id": f"{prefix}-{{{prefix}_id}}"}
    rows = []
    for verb, rest in verbs.items():
        row = {"command": f"{prefix}.{verb}", **common, **rest}
        if "workflow" in rest:
            row["task_queue"] = f"{queue}-unserved" if verb in UNSERVED else queue
        rows.append("\n".join(["[[route]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())]))
    return "\n\n".join(["domains = []", *rows])

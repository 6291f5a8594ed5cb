"""Links to where more can be seen. Pure."""

import re
from urllib.parse import quote

UI_DEFAULT = "http://localhost:8233"
CLOUD_UI = "https://cloud.temporal.io"

_HERE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\]):7233")
_CLOUD = re.compile(r".*\.(tmprl\.cloud|api\.temporal\.io):7233")


def ui_of(temporal_address: str) -> str | None:
    """Return where the UI of a Temporal most likely is: that of `bridge dev`, or Temporal Cloud's; else None."""
    if _HERE.fullmatch(temporal_address):
        return UI_DEFAULT
    return CLOUD_UI if _CLOUD.fullmatch(temporal_address) else None


def run(ui: str, namespace: str, workflow_id: str, run_id: str | None) -> str:
    """Return the address of a run, or of the latest one, in Temporal's UI."""
    parts = ("namespaces", namespace, "workflows", workflow_id, *((run_id, "history") if run_id else ()))
    return ui.rstrip("/") + "/" + "/".join(quote(part, safe="") for part in parts)


def trace(template: str, trace_id: str) -> str:
    """Return the address of a trace in a tracing system; `{trace_id}` in the template is where its id goes."""
    return template.replace("{trace_id}", quote(trace_id, safe=""))

"""`GET /v1/spans/{trace_id}`: the spans of a trace, where those of this process are kept on this machine."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import Response

from bridge.admin import asked, guard
from bridge.admin.management import Management
from bridge.admin.operation import Operation, answered
from bridge.errors import ConfigurationError
from topics.environment import otlp
from topics.environment.otlp import Signal

ANSWER_SECONDS = 2.0

_TRACE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NONE = "No spans are kept on this machine, as `bridge dev` does: ask the tracing system that OTEL_* name."


@dataclass(frozen=True, slots=True)
class Spans:
    """The handler: it asks where this process sends its spans, which are then those of the workers, too."""

    management: Management

    def operations(self) -> list[Operation]:
        """Return the rows of the API."""
        summary = "The spans of a trace, under `bridge dev`; elsewhere the tracing system has them"
        return [Operation("GET", "/v1/spans/{trace_id}", summary, self.spans)]

    async def spans(self, request: Request) -> Response:
        """Return the spans of a trace, by time; 404 where none are kept here."""
        trace_id = request.path_params["trace_id"]
        if _TRACE_ID.fullmatch(trace_id) is None:
            raise ConfigurationError("A trace id has 32 hex digits.")
        endpoint = otlp.endpoint(self.management.settings.environment, Signal.TRACES)
        if not guard.is_loopback(urlsplit(endpoint).hostname or ""):
            raise asked.NotFoundError(_NONE)
        try:
            async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
                answer = await client.get(f"{endpoint}/{trace_id}")
            found = answer.json()["spans"] if answer.is_success else None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):  # a collector: it takes spans, and tells none
            found = None
        if not isinstance(found, list):
            raise asked.NotFoundError(_NONE)
        return answered({"spans": found})

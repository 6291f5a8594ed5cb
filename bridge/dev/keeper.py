"""Where the programs of `bridge dev` send their spans: kept here for `bridge trace`, and sent on where OTEL_* say."""

import contextlib
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from google.protobuf.message import DecodeError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge import errors
from bridge.admin import guard, server
from bridge.admin.guard import Door
from bridge.command import rfc3339
from bridge.dev import spans
from bridge.dev.spans import Span, Spans
from topics.environment import otlp
from topics.environment.otlp import Signal

PATH = "/v1/traces"
BODY_BYTES_MAX = 8 * 1024 * 1024
BATCHES_MAX = 100  # that wait to be sent on
LEFT_WITHIN = timedelta(seconds=2)
BATCH_DELAY = timedelta(milliseconds=300)  # so that a trace is there when a person asks for it


def environment(address: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return what tells our programs to send their spans to an address; nothing where OTEL_* turn them off."""
    if not _is_wanted(inherited):
        return {}
    delay = {"OTEL_BSP_SCHEDULE_DELAY": f"{BATCH_DELAY / timedelta(milliseconds=1):g}"}
    return {name: value for name, value in delay.items() if name not in inherited} | {
        f"OTEL_EXPORTER_OTLP_{Signal.TRACES}_ENDPOINT": f"http://{address}{PATH}",
        f"OTEL_EXPORTER_OTLP_{Signal.TRACES}_PROTOCOL": otlp.HTTP,
        f"OTEL_EXPORTER_OTLP_{Signal.TRACES}_COMPRESSION": "none",
    }


@contextlib.asynccontextmanager
async def opened(address: str, inherited: Mapping[str, str]) -> AsyncIterator[None]:
    """Keep what arrives at an address; raises `ConfigurationError` where OTEL_* cannot be followed."""
    if not _is_wanted(inherited):
        yield
        return
    with _sending(inherited) as send_on:
        keeper = Keeper(Door(address, None), send_on)
        async with server.serve(keeper.application(), address, "the address for spans"):
            yield


@dataclass(frozen=True, slots=True)
class Keeper:
    """The handlers: only this machine may ask, and no page of a browser."""

    door: Door
    send_on: Callable[[bytes], None]
    kept: Spans = field(default_factory=Spans)

    def application(self) -> Starlette:
        """Return the application."""
        return Starlette(
            routes=[
                Route(PATH, self.take, methods=["POST"]),
                Route(PATH + "/{trace_id}", self.tell, methods=["GET"]),
            ]
        )

    async def take(self, request: Request) -> Response:
        """Keep a batch, as a collector would take it."""
        if refusal := self.door.refusal(request.headers):
            return refusal
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > BODY_BYTES_MAX:
                return guard.problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {BODY_BYTES_MAX} bytes.")
        try:
            for span in spans.read(bytes(body)):
                self.kept.keep(span)
        except DecodeError:
            return guard.problem(HTTPStatus.BAD_REQUEST, "The body is no ExportTraceServiceRequest.")
        self.send_on(bytes(body))
        return Response(b"", media_type="application/x-protobuf")  # an empty ExportTraceServiceResponse

    async def tell(self, request: Request) -> Response:
        """Return the spans of a trace."""
        if refusal := self.door.refusal(request.headers):
            return refusal
        return JSONResponse({"spans": [_row(span) for span in self.kept.of(request.path_params["trace_id"])]})


def _row(span: Span) -> dict[str, Any]:
    return {
        "service": span.service,
        "name": span.name,
        "kind": span.kind,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": span.parent_id or None,
        "started_at": rfc3339(span.started_ns // 1_000_000),
        "took_ms": round((span.ended_ns - span.started_ns) / 1e6, 3),
        "is_error": span.is_error,
        "attributes": dict(span.attributes),
        "links": [{"trace_id": trace_id, "span_id": span_id} for trace_id, span_id in span.links],
    }


def _is_wanted(inherited: Mapping[str, str]) -> bool:
    is_disabled = inherited.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not is_disabled and inherited.get("OTEL_TRACES_EXPORTER", "").strip().lower() in ("", "otlp")


@contextlib.contextmanager
def _sending(inherited: Mapping[str, str]) -> Iterator[Callable[[bytes], None]]:
    """Hold what sends batches on, in a thread of its own; nothing, where OTEL_* name no endpoint."""
    problems: list[str] = []
    if not otlp.is_exported(inherited, Signal.TRACES, problems):
        if problems:
            raise errors.ConfigurationError(*problems)
        yield lambda _: None
        return
    from bridge.telemetry import exporting  # noqa: PLC0415 - it loads the SDK

    for name in ("opentelemetry", "urllib3"):  # they tell of every batch that a collector does not take
        logging.getLogger(name).setLevel(logging.CRITICAL)
    send, batches = exporting.transport(), queue.Queue[bytes | None](BATCHES_MAX)

    def run() -> None:
        while (batch := batches.get()) is not None:
            with contextlib.suppress(Exception):  # a collector that is down: what it does not take is kept here
                send(batch)

    def put(batch: bytes | None) -> None:
        with contextlib.suppress(queue.Full):
            batches.put_nowait(batch)

    thread = threading.Thread(target=run, name="spans-on", daemon=True)
    thread.start()
    try:
        yield put
    finally:
        put(None)
        thread.join(LEFT_WITHIN.total_seconds())

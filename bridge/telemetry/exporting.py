"""Send spans and metrics by OTLP, off the hot path: spans in batches by a thread of their own, in a bounded queue.

A collector that is down costs a log line a minute: the newest spans wait in the queue, the oldest are dropped.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import cast

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from bridge.telemetry import aside, logs
from bridge.telemetry.names import Attribute, Log
from bridge.telemetry.recorded import Recorded
from topics.environment import otlp

SCOPE = "kafka-temporal-bridge"
TOLD_EVERY = timedelta(minutes=1)
LEFT_WITHIN = timedelta(seconds=5)

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)

log = logs.get(__name__)


class Complaint:
    """Says that a collector takes nothing, once a minute at most."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._told_at: float | None = None
        self._lost = 0

    def lost(self, count: int) -> None:
        """Note so many spans, or metrics, that were not taken."""
        self._lost += count
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= TOLD_EVERY.total_seconds():
            log.warning(Log.EXPORT_FAILED, what=self._what, lost=self._lost)
            self._told_at, self._lost = now, 0


class _Made(SpanExporter):
    """Makes spans of what was noted, and hands them on; in the thread of the batch processor."""

    def __init__(self, exporter: SpanExporter, resource: Resource) -> None:
        self._exporter = exporter
        self._resource = resource
        self._scope = InstrumentationScope(SCOPE, version=None)
        self._complaint = Complaint("spans")

    def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
        """Send a batch; what is not taken is lost."""
        made = [self._span(cast("_Queued", span).recorded) for span in spans]
        result = self._exporter.export(made)
        if result is not SpanExportResult.SUCCESS:
            self._complaint.lost(len(made))
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def _span(self, noted: Recorded) -> ReadableSpan:
        trace_id = int(noted.traceparent[3:35], 16)
        state = TraceState.from_header([noted.tracestate]) if noted.tracestate is not None else None
        failed = {} if noted.error is None else {Attribute.ERROR_TYPE.value: noted.error}
        return ReadableSpan(
            name=noted.name,
            context=SpanContext(
                trace_id, int(noted.span_id, 16), is_remote=False, trace_flags=_SAMPLED, trace_state=state
            ),
            parent=None if noted.parent_id is None else _remote(trace_id, noted.parent_id),
            resource=self._resource,
            attributes={**noted.attributes, **failed},
            links=[Link(_remote(int(link[3:35], 16), link[36:52])) for link in noted.links],
            kind=SpanKind[noted.kind],
            status=Status(StatusCode.UNSET if noted.error is None else StatusCode.ERROR),
            start_time=noted.started_ns,
            end_time=noted.ended_ns,
            instrumentation_scope=self._scope,
        )


class _Queued:
    """What waits in the processor's queue: it asks of a span no more than whether it is sampled."""

    __slots__ = ("recorded",)

    context = SpanContext(1, 1, is_remote=False, trace_flags=_SAMPLED)

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded


class SpanQueue:
    """Takes spans that have ended; without waiting, and bounded by OTEL_BSP_MAX_QUEUE_SIZE."""

    def __init__(self, processor: BatchSpanProcessor) -> None:
        self._processor = processor

    def keep(self, recorded: Recorded) -> None:
        """Let a span be sent."""
        self._processor.on_end(cast("ReadableSpan", _Queued(recorded)))


def _remote(trace_id: int, span_id: str) -> SpanContext:
    return SpanContext(trace_id, int(span_id, 16), is_remote=True, trace_flags=_SAMPLED)


def resource(service: str) -> Resource:
    """Return what all telemetry of the process says of it; OTEL_SERVICE_NAME goes before `service`."""
    return Resource.create({} if otlp.names_service(os.environ) else {"service.name": service})


@contextlib.asynccontextmanager
async def spans(service: str) -> AsyncIterator[SpanQueue]:
    """Hold the queue of spans; on leaving, what is in it is sent within some seconds."""
    processor = BatchSpanProcessor(_Made(OTLPSpanExporter(), resource(service)))
    try:
        yield SpanQueue(processor)
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEFT_WITHIN.total_seconds()):
                await aside.run(processor.shutdown, "spans-left")

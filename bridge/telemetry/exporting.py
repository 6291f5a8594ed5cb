"""Send spans and metrics by OTLP, off the hot path: spans in batches by a thread of their own, in a bounded queue.

A collector that is down costs a log line a minute: the newest spans wait in the queue, the oldest are dropped.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import cast

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanContext, TraceFlags

from bridge import errors
from bridge.telemetry import aside, logs, wire
from bridge.telemetry.names import Log
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


class _Exporter(OTLPSpanExporter):
    """The library's exporter, with an encoding of ours; in the thread of the batch processor."""

    def __init__(self, resource: Resource) -> None:
        super().__init__()
        self._about = {
            name: value if isinstance(value, int) else str(value) for name, value in resource.attributes.items()
        }
        self._complaint = Complaint("spans")

    def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
        """Send a batch; what is not taken is lost."""
        noted = [cast("_Queued", span).recorded for span in spans]
        with contextlib.suppress(Exception):  # told below: the library's own words on it are silenced
            if self._client.export(wire.request(noted, self._about, SCOPE)).success:
                return SpanExportResult.SUCCESS
        self._complaint.lost(len(noted))
        return SpanExportResult.FAILURE


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


def transport() -> Callable[[bytes], bool]:
    """Return what sends the bytes of a request to where OTEL_* say, and says whether they were taken; it blocks."""
    client = OTLPSpanExporter()._client  # noqa: SLF001 - as above: TLS, headers, compression and retries are the library's
    return lambda body: bool(client.export(body).success)


def resource(service: str) -> Resource:
    """Return what all telemetry of the process says of it; OTEL_SERVICE_NAME goes before `service`."""
    return Resource.create({} if otlp.names_service(os.environ) else {"service.name": service})


@contextlib.asynccontextmanager
async def spans(service: str) -> AsyncIterator[SpanQueue]:
    """Hold the queue of spans; on leaving, what is in it is sent within some seconds."""
    try:
        processor = BatchSpanProcessor(_Exporter(resource(service)))
    except ValueError as error:
        raise errors.ConfigurationError(f"OTEL_BSP_*: {error}. Correct these settings.") from error
    try:
        yield SpanQueue(processor)
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEFT_WITHIN.total_seconds()):
                await aside.run(processor.shutdown, "spans-left")

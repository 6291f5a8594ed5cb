"""The tracer provider of the workers: batches, a bounded queue, and no words of other people in any span."""

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from workers import logs
from workers.sdk.opentelemetry import EventIds

LEFT_WITHIN = timedelta(seconds=5)
TOLD_EVERY = timedelta(minutes=1)
WORDS = ("exception.message", "exception.stacktrace")

log = logs.get(__name__)


class Wordless(SpanExporter):
    """Hands spans on without the texts of errors: they may quote what a command holds. Their types stay.

    A collector that takes none is told of once a minute.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        """Take what sends them."""
        self._exporter = exporter
        self._told_at: float | None = None
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; what is not taken is lost."""
        result = self._exporter.export([_wordless(span) if _has_words(span) else span for span in spans])
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            self._complain()
        return result

    def _complain(self) -> None:
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= TOLD_EVERY.total_seconds():
            log.warning("The collector takes no spans.", lost=self._lost)
            self._told_at, self._lost = now, 0

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()


def provider(resource: Mapping[str, str]) -> TracerProvider:
    """Return a provider that sends to where OTEL_* say, and samples as they say."""
    made = TracerProvider(resource=Resource.create(resource), id_generator=EventIds(), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(Wordless(OTLPSpanExporter())))
    return made


def leave(provider: TracerProvider) -> None:
    """Send what is left, for a bounded time: the process need not wait for a collector that is down."""
    leaving = threading.Thread(target=provider.shutdown, daemon=True, name="spans-left")
    leaving.start()
    leaving.join(LEFT_WITHIN.total_seconds())


def _has_words(span: ReadableSpan) -> bool:
    return span.status.description is not None or any(
        name in (e.attributes or {}) for e in span.events for name in WORDS
    )


def _wordless(span: ReadableSpan) -> ReadableSpan:
    events = [
        Event(e.name, {k: v for k, v in (e.attributes or {}).items() if k not in WORDS}, e.timestamp)
        for e in span.events
    ]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=events,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )

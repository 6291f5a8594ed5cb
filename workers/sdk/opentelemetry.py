"""Spans of events, for workers that use OpenTelemetry: `send TOPIC`, below the activity that emits.

To be imported where `opentelemetry-sdk` is installed; nothing else of `workers.sdk` needs it. Give the tracer provider
`EventIds` as its `id_generator`: an event's `traceparent`, which all its copies share, names its span by its id.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from workers.sdk.record import Record

_planned: ContextVar[int | None] = ContextVar("bridge_planned_span_id", default=None)
_propagator = TraceContextTextMapPropagator()


class EventIds(RandomIdGenerator):
    """Gives an event's span the id that the event names; any other span a random one."""

    def generate_span_id(self) -> int:
        """Return the next span's id."""
        planned = _planned.get()
        return super().generate_span_id() if planned is None else planned


class EventSpans:
    """Records a span for each event that is emitted; `Emitter.spans` takes it."""

    def __init__(self, tracer: Tracer) -> None:
        """Take a tracer whose provider has `EventIds`."""
        self._tracer = tracer

    @contextmanager
    def sending(self, records: Sequence[Record]) -> Iterator[None]:
        """Hold the events' spans while they are sent.

        An event belongs to the trace of the command that led to it. Where another command began the run, the activity
        that emits is in that one's trace: then the two are linked.
        """
        current = trace.get_current_span().get_span_context()
        begun = [span for record in records if (span := self._begin(record, current)) is not None]
        try:
            yield
        except BaseException as error:
            for span in begun:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(StatusCode.ERROR)
            raise
        finally:
            for span in begun:
                span.end()

    def _begin(self, record: Record, current: SpanContext) -> Span | None:
        headers = {name: value.decode() for name, value in record.headers}
        own, cause = _context(headers.get("traceparent")), _context(record.parent)
        if own is None or cause is None or not own.trace_flags.sampled:
            return None
        is_in_trace = current.is_valid and current.trace_id == own.trace_id
        token = _planned.set(own.span_id)
        try:
            return self._tracer.start_span(
                f"send {record.topic}",
                context=trace.set_span_in_context(trace.NonRecordingSpan(current if is_in_trace else cause)),
                kind=SpanKind.PRODUCER,
                links=[Link(current)] if current.is_valid and not is_in_trace else (),
                attributes={
                    "messaging.system": "kafka",
                    "messaging.operation.name": "send",
                    "messaging.operation.type": "send",
                    "messaging.destination.name": record.topic,
                    "messaging.message.id": headers["ce_id"],
                    "messaging.message.body.size": len(record.value),
                    "cloudevents.event_type": headers["ce_type"],
                },
            )
        finally:
            _planned.reset(token)


def _context(traceparent: str | None) -> SpanContext | None:
    if traceparent is None:
        return None
    context = trace.get_current_span(_propagator.extract({"traceparent": traceparent})).get_span_context()
    return context if context.is_valid else None

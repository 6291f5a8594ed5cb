"""Spans of the bridge's own: `process TOPIC` for each record, and one for each call to Temporal.

OpenTelemetry semantic conventions, messaging spans and RPC spans. On a command's way only what is new in each span is
noted; the exporter's thread makes spans of it.
"""

import dataclasses
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from bridge import tracecontext
from bridge.command import BadRecord, Command
from bridge.telemetry import origins
from bridge.telemetry.histogram import Exemplar
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Attribute, Metric
from bridge.telemetry.recorded import Recorded, Value
from bridge.telemetry.sampling import Sampling
from bridge.telemetry.shapes import Shapes
from bridge.telemetry.spans import UNRECORDED, Content, Span, Told

CALLS_MAX = 8  # of failed calls that are recorded for one record: an outage may last for hours

DEAD_LETTERED = "dead_lettered"
TARGET_MISSING = "target_missing"


class Tracing:
    """Begins a span for each record whose trace is sampled; `keep` takes those that have ended, and does not wait."""

    def __init__(
        self, sampling: Sampling, keep: Callable[[Recorded], None], shapes: Shapes, metrics: Metrics | None = None
    ) -> None:
        """Take `metrics`, whose histograms shall name traces."""
        self._metrics = metrics
        self._sampling = sampling
        self._keep = keep
        self._shapes = shapes

    def begin(self, content: Content) -> tuple[Span, Content]:
        """Return the span of a record, and the record that knows of it."""
        traceparent = content.traceparent
        new = origins.new_trace(content)
        is_new = traceparent is None or traceparent == new
        parent = new if traceparent is None else traceparent
        sampling = self._sampling
        if not (sampling.takes_new(new[3:35]) if is_new else sampling.takes(parent)):
            return UNRECORDED, _known(content, tracecontext.unsampled(parent), None)
        if not tracecontext.is_sampled(parent):
            parent = tracecontext.sampled(parent)
        record = content.record
        span_id = tracecontext.record_span(record.topic, record.partition, record.offset, record.timestamp_ms)
        known = _known(content, parent, span_id)
        return _Processing(self, known, parent, span_id, has_parent=not is_new), known

    def keep_processed(self, span: "_Processing", told: Told, attempts: int) -> None:
        """Keep the span of a record that has its outcome."""
        content, record = span.content, span.content.record
        reason = getattr(told, "reason", None)
        error = reason.value if reason is not None and told.label == DEAD_LETTERED else None
        ended_ns = time.time_ns()
        self._exemplify(span, ended_ns, error or "")
        links = [span.traceparent] if span.has_parent else []
        if earlier := origins.replayed(content, span.traceparent):
            links.append(earlier)
        self._keep(
            Recorded(
                shape=self._shapes.of_topic(record.topic),
                traceparent=span.traceparent,
                span_id=span.span_id,
                parent_id=span.traceparent[36:52] if span.has_parent else None,
                tracestate=content.tracestate,
                started_ns=span.started_ns,
                ended_ns=ended_ns,
                attributes=_told_of(content, told, reason, attempts),
                links=links,
                error=error,
            )
        )

    def _exemplify(self, span: "_Processing", at_ns: int, error: str) -> None:
        """Let the histograms that have counted the record name its trace."""
        if self._metrics is None:
            return
        record, trace_id = span.content.record, tracecontext.trace_id(span.traceparent)
        took = Exemplar((at_ns - span.started_ns) / 1e9, at_ns, trace_id, span.span_id)
        self._metrics.exemplify(Metric.PROCESS_DURATION, took, record.topic, error)
        age = Exemplar(max(0.0, at_ns / 1e9 - record.timestamp_ms / 1000), at_ns, trace_id, span.span_id)
        self._metrics.exemplify(Metric.EVENT_AGE, age, record.topic)

    def keep_called(self, span: "_Processing", call: "_Call", error: str | None, run_id: str | None) -> None:
        """Keep the span of a call to Temporal that has come to its end."""
        workflow_id = (Attribute.WORKFLOW_ID, call.command.workflow_id)
        self._keep(
            Recorded(
                shape=self._shapes.of_route(call.command.route),
                traceparent=span.traceparent,
                span_id=call.span_id,
                parent_id=span.span_id,
                tracestate=span.content.tracestate,
                started_ns=call.started_ns,
                ended_ns=time.time_ns(),
                attributes=[workflow_id] if run_id is None else [workflow_id, (Attribute.RUN_ID, run_id)],
                error=error,
            )
        )


def _told_of(content: Content, told: Told, reason: StrEnum | None, attempts: int) -> list[tuple[Attribute, Value]]:
    record, identity = content.record, content.identity
    found: list[tuple[Attribute, Value]] = [
        (Attribute.PARTITION, str(record.partition)),
        (Attribute.OFFSET, record.offset),
        (Attribute.BODY_SIZE, len(record.value or b"")),
        (Attribute.OUTCOME, told.label),
        (Attribute.ATTEMPTS, attempts),
    ]
    if identity is not None:
        found += (
            (Attribute.MESSAGE_ID, identity.id),
            (Attribute.EVENT_SOURCE, identity.source),
            (Attribute.EVENT_TYPE, identity.type),
        )
    if reason is not None:
        found.append((Attribute.REASON, reason.value))
    return found


@dataclass(slots=True)
class _Call:
    command: Command
    span_id: str
    started_ns: int = field(default_factory=time.time_ns)


class _Processing:
    """A record whose trace is recorded."""

    __slots__ = ("_call", "_calls_failed", "_tracing", "content", "has_parent", "span_id", "started_ns", "traceparent")

    def __init__(self, tracing: Tracing, content: Content, traceparent: str, span_id: str, *, has_parent: bool) -> None:
        self._tracing = tracing
        self._call: _Call | None = None
        self._calls_failed = 0
        self.content = content
        self.traceparent = traceparent
        self.span_id = span_id
        self.has_parent = has_parent
        self.started_ns = time.time_ns()

    def asks(self, command: Command) -> None:
        command.call = f"{random.getrandbits(64) or 1:016x}"
        self._call = _Call(command, command.call)

    def answered(self, outcome: object) -> None:
        label = getattr(outcome, "label", None)
        if label is None:
            self.fails(TARGET_MISSING)
        elif self._call is not None:
            error = outcome.reason.value if label == DEAD_LETTERED else None  # type: ignore[attr-defined]  # it has one
            self._tracing.keep_called(self, self._call, error, getattr(outcome, "run_id", None))
            self._call = None

    def fails(self, error: str) -> None:
        if self._call is not None and self._calls_failed < CALLS_MAX:
            self._tracing.keep_called(self, self._call, error, None)
            self._calls_failed += 1
        self._call = None

    def ends(self, told: Told, attempts: int) -> None:
        self._tracing.keep_processed(self, told, attempts)


def _known(content: Content, traceparent: str, span_id: str | None) -> Content:
    """Return the record with its place in the trace."""
    if isinstance(content, BadRecord):
        return dataclasses.replace(content, traceparent=traceparent, span=span_id)
    content.traceparent, content.span = traceparent, span_id
    return content

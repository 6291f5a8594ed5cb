"""Spans of the bridge's own: `process TOPIC` for each record, and one for each call to Temporal.

OpenTelemetry semantic conventions, messaging spans and RPC spans. On a command's way only what is new in each span is
noted; the exporter's thread makes spans of it.
"""

import dataclasses
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bridge import bounds, tracecontext
from bridge.command import REPLAYS_HEADER, BadRecord, Command
from bridge.routes import Route, Verb
from bridge.telemetry.names import Attribute, Kind
from bridge.telemetry.recorded import Recorded
from bridge.telemetry.sampling import Sampling
from bridge.telemetry.spans import UNRECORDED, Content, Span, Told
from topics import ids

CALLS_MAX = 8  # of failed calls that are recorded for one record: an outage may last for hours

DEAD_LETTERED = "dead_lettered"
TARGET_MISSING = "target_missing"

SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
OPERATIONS: Mapping[Verb, tuple[str, str]] = MappingProxyType(
    {
        Verb.START: ("StartWorkflow", "StartWorkflowExecution"),
        Verb.SIGNAL: ("SignalWorkflow", "SignalWorkflowExecution"),
        Verb.SIGNAL_WITH_START: ("SignalWithStartWorkflow", "SignalWithStartWorkflowExecution"),
        Verb.UPDATE: ("StartWorkflowUpdate", "UpdateWorkflowExecution"),
        Verb.CANCEL: ("CancelWorkflow", "RequestCancelWorkflowExecution"),
        Verb.TERMINATE: ("TerminateWorkflow", "TerminateWorkflowExecution"),
    }
)
"""The name of each verb's span, as the SDKs have it, and its call's."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> "Address":
        """Return the first address of HOST:PORT[,HOST:PORT]..."""
        host, _, port = text.split(",", 1)[0].rpartition(":")
        return cls(host.strip("[]"), int(port) if port.isdecimal() else 0)

    @property
    def attributes(self) -> dict[str, str | int]:
        """The attributes that say so."""
        return {Attribute.SERVER_ADDRESS.value: self.host, Attribute.SERVER_PORT.value: self.port}


class Tracing:
    """Begins a span for each record whose trace is sampled; `keep` takes those that have ended, and does not wait."""

    def __init__(
        self, sampling: Sampling, keep: Callable[[Recorded], None], group: str, kafka: Address, temporal: Address
    ) -> None:
        self._sampling = sampling
        self._group = group
        self._kafka = kafka
        self._temporal = temporal
        self._keep = keep
        self._processing: dict[str, dict[str, str | int]] = {}
        self._calling: dict[str, tuple[str, dict[str, str | int]]] = {}

    def begin(self, content: Content) -> tuple[Span, Content]:
        """Return the span of a record, and the record that knows of it."""
        traceparent = content.traceparent
        new = _new_trace(content)
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
        attributes = self._of_topic(record.topic) | {
            Attribute.PARTITION.value: str(record.partition),
            Attribute.OFFSET.value: record.offset,
            Attribute.BODY_SIZE.value: len(record.value or b""),
            Attribute.OUTCOME.value: told.label,
            Attribute.ATTEMPTS.value: attempts,
        }
        if content.identity is not None:
            attributes[Attribute.MESSAGE_ID.value] = content.identity.id
            attributes[Attribute.EVENT_SOURCE.value] = content.identity.source
            attributes[Attribute.EVENT_TYPE.value] = content.identity.type
        reason = getattr(told, "reason", None)
        error = None
        if reason is not None:
            attributes[Attribute.REASON.value] = reason.value
            if told.label == DEAD_LETTERED:
                error = reason.value
        links = [tracecontext.with_span(span.traceparent, span.traceparent[36:52])] if span.has_parent else []
        if earlier := _replayed(content, span.traceparent):
            links.append(earlier)
        self._keep(
            Recorded(
                name=f"process {record.topic}",
                kind=Kind.CONSUMER,
                traceparent=span.traceparent,
                span_id=span.span_id,
                parent_id=span.traceparent[36:52] if span.has_parent else None,
                tracestate=content.tracestate,
                started_ns=span.started_ns,
                ended_ns=time.time_ns(),
                attributes=attributes,
                links=links,
                error=error,
            )
        )

    def keep_called(self, span: "_Processing", call: "_Call", error: str | None, run_id: str | None) -> None:
        """Keep the span of a call to Temporal that has come to its end."""
        name, attributes = self._of_route(call.command.route)
        attributes = attributes | {Attribute.WORKFLOW_ID.value: call.command.workflow_id}
        if run_id is not None:
            attributes[Attribute.RUN_ID.value] = run_id
        self._keep(
            Recorded(
                name=name,
                kind=Kind.CLIENT,
                traceparent=span.traceparent,
                span_id=call.span_id,
                parent_id=span.span_id,
                tracestate=span.content.tracestate,
                started_ns=call.started_ns,
                ended_ns=time.time_ns(),
                attributes=attributes,
                links=[],
                error=error,
            )
        )

    def _of_topic(self, topic: str) -> dict[str, str | int]:
        found = self._processing.get(topic)
        if found is None:
            found = self._processing[topic] = {
                Attribute.SYSTEM.value: "kafka",
                Attribute.OPERATION_NAME.value: "process",
                Attribute.OPERATION_TYPE.value: "process",
                Attribute.DESTINATION.value: topic,
                Attribute.GROUP.value: self._group,
                **self._kafka.attributes,
            }
        return found

    def _of_route(self, route: Route) -> tuple[str, dict[str, str | int]]:
        found = self._calling.get(route.command)
        if found is None:
            operation, method = OPERATIONS[route.verb]
            object_ = route.update or route.signal or route.workflow
            attributes = {
                Attribute.RPC_SYSTEM.value: "grpc",
                Attribute.RPC_METHOD.value: f"{SERVICE}/{method}",
                **self._temporal.attributes,
            }
            found = self._calling[route.command] = (f"{operation}:{object_}" if object_ else operation, attributes)
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


def _new_trace(content: Content) -> str:
    """Return the traceparent of the trace that begins with a record."""
    if isinstance(content, Command):
        return tracecontext.begun(content.request_id)
    if content.identity is not None:
        return tracecontext.begun(ids.text("request", content.identity.source, content.identity.id))
    record = content.record
    return tracecontext.begun(
        ids.text("record", record.topic, str(record.partition), str(record.offset), str(record.timestamp_ms))
    )


def _known(content: Content, traceparent: str, span_id: str | None) -> Content:
    """Return the record with its place in the trace."""
    if isinstance(content, BadRecord):
        return dataclasses.replace(content, traceparent=traceparent, span=span_id)
    content.traceparent, content.span = traceparent, span_id
    return content


def _replayed(content: Content, traceparent: str) -> str | None:
    """Return the span of the try before, where the record came back from a dead-letter topic."""
    record = content.record
    origin = {name: value for name, value in record.headers if name.startswith("dlq.") and value is not None}
    if REPLAYS_HEADER not in origin:
        return None
    try:
        return tracecontext.with_span(traceparent, _span_before(origin))
    except (KeyError, ValueError, OverflowError):  # written by somebody else: a link is all that is lost
        return None


def _span_before(origin: Mapping[str, bytes]) -> str:
    topic, time_text = origin["dlq.topic"].decode(), origin["dlq.timestamp"].decode()
    partition, offset = int(origin["dlq.partition"]), int(origin["dlq.offset"])
    return tracecontext.record_span(topic, partition, offset, bounds.milliseconds(time_text))

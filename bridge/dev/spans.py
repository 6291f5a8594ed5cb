"""The spans that `bridge dev` keeps in memory: the newest 20,000, by trace."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

SPANS_MAX = 20_000
OF_A_TRACE_MAX = 1000
TEXT_MAX = 256  # characters of a name or of a value
ATTRIBUTES_MAX = 32
LINKS_MAX = 32


@dataclass(frozen=True, slots=True)
class Span:
    """A span that has ended; ids are hex, an empty `parent_id` is none, `links` are (trace id, span id)."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    started_ns: int
    ended_ns: int
    is_error: bool
    attributes: tuple[tuple[str, str | int], ...]
    links: tuple[tuple[str, str], ...]


class Spans:
    """Keeps what arrives; of what is too much, the trace that was added to least lately goes first."""

    def __init__(self) -> None:
        self._by_trace: OrderedDict[str, dict[str, Span]] = OrderedDict()
        self.count = 0

    def keep(self, span: Span) -> None:
        """Keep a span; one with the same id, of a record that was processed again, takes the place of the first."""
        found = self._by_trace.setdefault(span.trace_id, {})
        self._by_trace.move_to_end(span.trace_id)
        if span.span_id not in found:
            if len(found) >= OF_A_TRACE_MAX:
                return
            self.count += 1
        found[span.span_id] = span
        while self.count > SPANS_MAX:
            _, gone = self._by_trace.popitem(last=False)
            self.count -= len(gone)

    def of(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace, and those of others that link to it, by time."""
        found = list(self._by_trace.get(trace_id, {}).values())
        for other, spans in self._by_trace.items():
            if other != trace_id:
                found += [span for span in spans.values() if any(link == trace_id for link, _ in span.links)]
        return sorted(found, key=lambda span: span.started_ns)


def read(body: bytes) -> Iterator[Span]:
    """Yield the spans of an `ExportTraceServiceRequest`; raises `google.protobuf.message.DecodeError`."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = str(dict(_attributes(resource.resource.attributes)).get("service.name", ""))
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(service, span)


def _span(service: str, span: trace_pb2.Span) -> Span:
    return Span(
        service=service,
        name=span.name[:TEXT_MAX],
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        is_error=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        attributes=tuple(_attributes(span.attributes)),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links[:LINKS_MAX]),
    )


def _attributes(pairs: Any) -> Iterator[tuple[str, str | int]]:
    pair: KeyValue
    for pair in pairs[:ATTRIBUTES_MAX]:
        yield pair.key[:TEXT_MAX], _value(pair.value)


def _value(value: AnyValue) -> str | int:
    if value.HasField("int_value"):
        return value.int_value
    return str(getattr(value, value.WhichOneof("value") or "string_value"))[:TEXT_MAX]

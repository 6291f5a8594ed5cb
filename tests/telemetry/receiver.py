"""A collector of the tests' own: OTLP over HTTP, its protobuf read by OpenTelemetry's published classes."""

import contextlib
import gzip
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1 import trace_pb2

ARRIVES_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class Span:
    """A span as it arrived; ids are hex, an empty parent is none."""

    service: str
    scope: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[tuple[str, str], ...]
    attributes: dict[str, Any]
    is_error: bool
    events: tuple[dict[str, Any], ...]
    took_ns: int


@dataclass
class Receiver:
    """Keeps what arrives; `raw` is all of it as it came, for who looks for what must not be there."""

    port: int = 0
    spans: list[Span] = field(default_factory=list)
    metrics: list[tuple[str, Metric]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, body: bytes) -> None:
        with self.arrived:
            self.raw.append(body)
            if path == "/v1/traces":
                self.spans += _spans(ExportTraceServiceRequest.FromString(body))
            elif path == "/v1/metrics":
                found = ExportMetricsServiceRequest.FromString(body)
                for resource in found.resource_metrics:
                    service = _attributes(resource.resource.attributes).get("service.name", "")
                    self.metrics += [(service, m) for scope in resource.scope_metrics for m in scope.metrics]
            self.arrived.notify_all()

    def of_trace(self, trace_id: str) -> list[Span]:
        with self.arrived:
            return [span for span in self.spans if span.trace_id == trace_id]

    def wait_for(self, trace_id: str, is_whole: Callable[[Sequence[Span]], bool]) -> list[Span]:
        """Return the spans of a trace once they are what the test waits for."""
        until = time.monotonic() + ARRIVES_WITHIN_SECONDS
        with self.arrived:
            while not is_whole(found := [span for span in self.spans if span.trace_id == trace_id]):
                left = until - time.monotonic()
                assert left > 0, "\n".join(f"{s.service} {s.name} {s.span_id} < {s.parent_id}" for s in found)
                self.arrived.wait(left)
            return found

    def wait_for_metric(self, name: str, service: str) -> Metric:
        """Return the latest of a metric."""
        until = time.monotonic() + ARRIVES_WITHIN_SECONDS
        with self.arrived:
            while not (found := [m for by, m in self.metrics if m.name == name and by == service]):
                left = until - time.monotonic()
                assert left > 0, sorted({(by, m.name) for by, m in self.metrics})
                self.arrived.wait(left)
            return found[-1]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Hold a collector that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        service = _attributes(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service=service,
                    scope=scope.scope.name,
                    name=span.name,
                    kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    attributes=_attributes(span.attributes),
                    is_error=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    events=tuple(_attributes(event.attributes) for event in span.events),
                    took_ns=span.end_time_unix_nano - span.start_time_unix_nano,
                )


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}

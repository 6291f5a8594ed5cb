"""A span that has ended, as it is noted on the way; the exporter's thread makes OpenTelemetry's own of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.telemetry.names import Kind


@dataclass(slots=True)
class Recorded:
    """A span; ids are hex, times ns since the epoch, `links` traceparents, `error` a word of a bounded set.

    `traceparent` is any of the span's trace.
    """

    name: str
    kind: Kind
    traceparent: str
    span_id: str
    parent_id: str | None
    tracestate: str | None
    started_ns: int
    ended_ns: int
    attributes: Mapping[str, str | int]
    links: Sequence[str] = ()
    error: str | None = None

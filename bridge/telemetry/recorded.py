"""A span that has ended, as it is noted on the way; the exporter's thread makes OTLP of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bridge.telemetry.names import Attribute, Kind

Value: TypeAlias = str | int


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What many spans have in common; there is one for each topic, and for each route."""

    name: str
    kind: Kind
    attributes: Mapping[Attribute, Value]


@dataclass(slots=True)
class Recorded:
    """A span; ids are hex, times ns since the epoch, `links` traceparents, `error` a word of a bounded set.

    `traceparent` is any of the span's trace; `attributes` are those that its shape has not.
    """

    shape: Shape
    traceparent: str
    span_id: str
    parent_id: str | None
    tracestate: str | None
    started_ns: int
    ended_ns: int
    attributes: Sequence[tuple[Attribute, Value]]
    links: Sequence[str] = ()
    error: str | None = None

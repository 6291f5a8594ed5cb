"""What records spans and sends metrics, made as the standard variables say; nothing without an endpoint."""

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge import errors
from bridge.settings import Settings
from bridge.telemetry import sampling
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.shapes import Address, Shapes
from bridge.telemetry.spans import NoSpans, Spans
from bridge.telemetry.tracing import Tracing
from topics.environment import otlp
from topics.environment.otlp import Signal

SERVICE = "kafka-temporal-bridge"


async def _nothing() -> None:
    """Send nothing."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the daemon is observed by; `send_metrics` sends them until it is cancelled."""

    spans: Spans = field(default_factory=NoSpans)
    send_metrics: Callable[[], Coroutine[Any, Any, None]] = _nothing


@contextlib.asynccontextmanager
async def telemetry(settings: Settings, metrics: Metrics, temporal_address: str) -> AsyncIterator[Telemetry]:
    """Hold what the daemon is observed by; raises `ConfigurationError` where OTEL_* cannot be followed."""
    wanted = _wanted(settings.environment)
    if not any(wanted.values()):
        yield Telemetry()
        return
    chosen = sampling.read(settings.environment)
    async with contextlib.AsyncExitStack() as stack:
        spans: Spans = NoSpans()
        send_metrics: Callable[[], Coroutine[Any, Any, None]] = _nothing
        from bridge.telemetry import exporting, metricsexport  # noqa: PLC0415 - they load the SDK, 20 MB

        if wanted[Signal.TRACES]:
            queue = await stack.enter_async_context(exporting.spans(SERVICE))
            kafka, temporal = Address.of(settings.kafka.bootstrap_servers), Address.of(temporal_address)
            spans = Tracing(chosen, queue.keep, Shapes(settings.bridge.group_id, kafka, temporal), metrics)
        if wanted[Signal.METRICS]:
            send_metrics = metricsexport.MetricsExport(metrics, exporting.resource(SERVICE)).run
        yield Telemetry(spans, send_metrics)


def _wanted(environment: Mapping[str, str]) -> Mapping[Signal, bool]:
    problems: list[str] = []
    wanted = {signal: otlp.is_exported(environment, signal, problems) for signal in Signal}
    if problems:
        raise errors.ConfigurationError(*problems)
    return wanted

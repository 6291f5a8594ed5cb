"""What records spans, made as the standard variables say; without an endpoint there is nothing that does."""

import contextlib
from collections.abc import AsyncIterator

from bridge import errors
from bridge.settings import Settings
from bridge.telemetry import sampling
from bridge.telemetry.spans import NoSpans, Spans
from bridge.telemetry.tracing import Address, Tracing
from topics.environment import otlp

SERVICE = "kafka-temporal-bridge"


@contextlib.asynccontextmanager
async def spans(settings: Settings, temporal_address: str) -> AsyncIterator[Spans]:
    """Hold what begins spans; raises `ConfigurationError` where OTEL_* cannot be followed."""
    environment = settings.environment
    problems: list[str] = []
    is_exported = otlp.is_exported(environment, otlp.Signal.TRACES, problems)
    if problems:
        raise errors.ConfigurationError(*problems)
    if not is_exported:
        yield NoSpans()
        return
    chosen = sampling.read(environment)
    from bridge.telemetry import exporting  # noqa: PLC0415 - it loads the SDK, 15 MB

    async with exporting.spans(SERVICE) as queue:
        kafka, temporal = Address.of(settings.kafka.bootstrap_servers), Address.of(temporal_address)
        yield Tracing(chosen, queue.keep, settings.bridge.group_id, kafka, temporal)

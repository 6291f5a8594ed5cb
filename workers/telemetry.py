"""Spans of workflows, activities and events, and the SDK's own metrics, by OTLP; nothing of it without an endpoint."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.runtime import OpenTelemetryConfig
from temporalio.worker import Interceptor

from topics.environment import otlp
from workers.errors import ConfigurationError
from workers.sdk.emitter import Spans

SERVICE = "kafka-temporal-bridge-workers"
SCOPE = "workers"
METRICS_EVERY = timedelta(seconds=60)  # OTEL_METRIC_EXPORT_INTERVAL


@dataclass(frozen=True, slots=True)
class Tracing:
    """What the workers and the emitter are given; nothing where no spans are wanted."""

    interceptors: Sequence[Interceptor] = ()
    spans: Spans | None = None


@contextlib.contextmanager
def tracing(environment: Mapping[str, str]) -> Iterator[Tracing]:
    """Hold what records spans, and send what is left of them on leaving; raises `ConfigurationError`."""
    if not _is_exported(environment, otlp.Signal.TRACES):
        yield Tracing()
        return
    from temporalio.contrib.opentelemetry import TracingInterceptor  # noqa: PLC0415 - it loads the SDK

    from workers import spans  # noqa: PLC0415 - as above
    from workers.sdk.opentelemetry import EventSpans  # noqa: PLC0415 - as above

    try:
        provider = spans.provider({} if otlp.names_service(environment) else {"service.name": SERVICE})
    except ValueError as error:
        raise ConfigurationError(f"OTEL_BSP_*: {error}. Correct these settings.") from error
    tracer = provider.get_tracer(SCOPE)
    try:
        yield Tracing([TracingInterceptor(tracer)], EventSpans(tracer))
    finally:
        spans.leave(provider)


def metrics(environment: Mapping[str, str]) -> OpenTelemetryConfig | None:
    """Return how the SDK's core is to send its metrics; None where they are not wanted."""
    if not _is_exported(environment, otlp.Signal.METRICS):
        return None
    interval = environment.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip()
    return OpenTelemetryConfig(
        url=otlp.endpoint(environment, otlp.Signal.METRICS),
        headers=otlp.headers(environment, otlp.Signal.METRICS),
        metric_periodicity=timedelta(milliseconds=int(interval)) if interval.isdecimal() else METRICS_EVERY,
        durations_as_seconds=True,
        http=True,
    )


def service_name(environment: Mapping[str, str]) -> str:
    """Return the name that the metrics go by."""
    return environment.get("OTEL_SERVICE_NAME", "").strip() or SERVICE


def _is_exported(environment: Mapping[str, str], signal: otlp.Signal) -> bool:
    problems: list[str] = []
    found = otlp.is_exported(environment, signal, problems)
    if problems:
        raise ConfigurationError(*problems)
    return found

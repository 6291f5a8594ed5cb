"""Where telemetry goes, as the standard OTEL_* variables say: nowhere without an endpoint.

Read here, so that a process without an endpoint never loads OpenTelemetry's SDK, which reads the same variables then.
"""

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import unquote

HTTP = "http/protobuf"


class Signal(StrEnum):
    """What can be exported."""

    TRACES = "TRACES"
    METRICS = "METRICS"


def is_exported(environment: Mapping[str, str], signal: Signal, problems: list[str]) -> bool:
    """Return whether there is an endpoint for a signal, and nothing that turns it off; note what cannot be followed."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() or "otlp"
    if exporter == "none" or not endpoint(environment, signal):
        return False
    if exporter != "otlp":
        problems.append(f"OTEL_{signal}_EXPORTER: {exporter} is not there: give otlp or none.")
        return False
    name, protocol = _protocol(environment, signal)
    if protocol != HTTP:
        problems.append(
            f"{name}: {protocol} is not spoken: give {HTTP}, and the collector's port for it (4318 by default)."
        )
        return False
    return True


def endpoint(environment: Mapping[str, str], signal: Signal) -> str:
    """Return the URL that a signal is sent to; empty without one."""
    own = environment.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "").strip()
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    return own or (f"{base.rstrip('/')}/v1/{signal.lower()}" if base else "")


def headers(environment: Mapping[str, str], signal: Signal) -> dict[str, str]:
    """Return the headers of each request."""
    names = ("OTEL_EXPORTER_OTLP_HEADERS", f"OTEL_EXPORTER_OTLP_{signal}_HEADERS")
    pairs = (pair.partition("=") for name in names for pair in environment.get(name, "").split(",") if pair.strip())
    return {unquote(name.strip()).lower(): unquote(value.strip()) for name, _, value in pairs}


def names_service(environment: Mapping[str, str]) -> bool:
    """Return whether the environment names the service."""
    named = environment.get("OTEL_SERVICE_NAME", "").strip()
    return bool(named) or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")


def _protocol(environment: Mapping[str, str], signal: Signal) -> tuple[str, str]:
    for name in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if protocol := environment.get(name, "").strip().lower():
            return name, protocol
    return "", HTTP

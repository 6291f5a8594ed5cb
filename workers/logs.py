"""Logs: one JSON object a line on stderr, or readable lines where stderr is a terminal."""

import logging
import sys

import structlog
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    OpenTelemetryConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from topics.environment import outlet
from workers.sdk.command import current

QUIET = ("aiokafka", "alembic", "fontTools", "fpdf", "httpx", "mail")
"""Their lines below warnings tell of every request and revision."""

SILENT = ("opentelemetry", "urllib3")
"""What they have to say of a collector that is down, for each batch, we say once a minute."""


def configure(level: int = logging.INFO) -> None:
    """Send our log events and those of the libraries to stderr, in one format."""
    terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _with_trace,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = outlet.handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _with_trace(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the trace of the command for which an activity or a workflow runs, where one does."""
    command = current.get()
    if command is not None and command.traceparent is not None:
        event.setdefault("trace_id", command.traceparent[3:35])
    return event


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger; the event is a short sentence, the rest are fields."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def temporal_runtime(metrics: OpenTelemetryConfig | None = None, service: str = "") -> Runtime:
    """Return a runtime whose own log lines, which otherwise go to stderr as they are, come through ours.

    `metrics` says where its metrics go, under the name `service`; None: nowhere.
    """
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    filters = TelemetryFilter(core_level="WARN", other_level="ERROR")
    logging_config = LoggingConfig(filter=filters, forwarding=forwarding)
    if metrics is None:
        return Runtime(telemetry=TelemetryConfig(logging=logging_config))
    tags = {"service.name": service}  # of the resource: the core has a name of its own otherwise
    telemetry = TelemetryConfig(logging=logging_config, metrics=metrics, global_tags=tags, attach_service_name=False)
    return Runtime(telemetry=telemetry)

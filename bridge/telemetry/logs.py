"""Logs: one JSON object a line on stderr, or readable lines where stderr is a terminal."""

import logging
import sys

import structlog

from topics.environment import outlet

# Their own lines tell of every rebalance and retry; what a person must know, we say ourselves.
LIBRARIES = {
    "aiokafka": logging.CRITICAL,
    "faststream": logging.ERROR,
    "uvicorn": logging.ERROR,
    "httpx": logging.WARNING,
    "opentelemetry": logging.CRITICAL,
    "urllib3": logging.CRITICAL,
}


def configure(level: int = logging.INFO) -> None:
    """Send our log events and those of the libraries to stderr, in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    terminal = sys.stderr.isatty()
    # The terminal's own traceback would show the local variables, and so what commands hold.
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer(default=str)
    )
    if terminal:
        shared.remove(structlog.processors.format_exc_info)  # the console renderer shows exceptions itself
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),  # the loggers' own levels change later
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = outlet.handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, library_level in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(level, library_level))


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger; events are constants of `bridge.telemetry.names.Log`, the rest are fields."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger

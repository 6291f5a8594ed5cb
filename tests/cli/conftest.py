"""A Kafka of its own for the command line's tests, as other tests' daemons would act on what is published here."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.dev import processes
from tests.cli.command_line import CommandLine
from tests.servers import ports
from tests.servers.fixtures import Kafka, Mail, Temporal

NAMESPACE = "command-line"
NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="package")
def kafka(guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    folder = tmp_path_factory.mktemp("command-line")
    kafka = Kafka(guard, folder)
    kafka.start()
    kafka.wait_ready()
    yield kafka
    kafka.stop()
    shutil.rmtree(folder / "kafka")


@pytest.fixture(scope="package")
def stack(kafka: Kafka, temporal: Temporal, mail: Mail, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Give the command line with servers that `bridge setup apply` has made ready."""
    folder = tmp_path_factory.mktemp("stack")
    line = CommandLine(
        folder,
        {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "TEMPORAL_ADDRESS": temporal.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "BRIDGE_ADMIN_ADDRESS": f"127.0.0.1:{ports.free()}",
            "BRIDGE_SWEEP_INTERVAL": "1",
            "WORKERS_DATABASE_URL": f"sqlite:///{folder}/workers.db",
            "WORKERS_SMTP_URL": mail.url,
        },
    )
    made = line.run("setup", "apply")
    assert made.code == 0, made.err
    return line


@pytest.fixture
def alone(tmp_path: Path) -> CommandLine:
    """Give the command line with nothing that answers."""
    return CommandLine(
        tmp_path,
        {
            "KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
            "TEMPORAL_ADDRESS": NOWHERE,
            "BRIDGE_CONNECT_TIMEOUT": "1",
            "WORKERS_SMTP_URL": f"smtp://{NOWHERE}",
        },
    )

"""The line with telemetry: real servers, `bridge run`, `bridge worker`, and a collector of the tests' own."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.journal import Journal
from tests.acceptance.producer import Producer
from tests.acceptance.program import Program
from tests.cli.command_line import CommandLine
from tests.servers import ports
from tests.servers.fixtures import Kafka, Mail, Temporal
from tests.telemetry import receiver
from tests.telemetry.receiver import Receiver

GROUP = "telemetry"
TOPICS = (
    *("invoice.events", "lead.events", "invoice.lifecycle", "lead.lifecycle", "bridge.replies"),
    *("invoice.process.dlq", "invoice.approve.dlq"),
)


@dataclass
class Traced:
    """Everything that a test touches."""

    collector: Receiver
    journal: Journal
    producer: Producer
    bridge: CommandLine
    daemon: Program
    worker: Program
    admin: str
    folder: Path


@pytest.fixture(scope="package")
def traced(
    kafka: Kafka,
    temporal: Temporal,
    mail: Mail,
    guard: processes.Guard,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Traced]:
    """Give the running line."""
    folder = tmp_path_factory.mktemp("telemetry")
    admin = f"127.0.0.1:{ports.free()}"
    with contextlib.ExitStack() as stack:
        collector = stack.enter_context(receiver.receiving())
        env = program.environment(
            KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
            KAFKA_SESSION_TIMEOUT_MS="3000",
            TEMPORAL_ADDRESS=temporal.address,
            BRIDGE_GROUP_ID=GROUP,
            BRIDGE_ADMIN_ADDRESS=admin,
            BRIDGE_SWEEP_INTERVAL="1",
            BRIDGE_DRAIN_TIMEOUT="8",
            WORKERS_DATABASE_URL=f"sqlite+aiosqlite:///{folder}/workers.db",
            WORKERS_SMTP_URL=mail.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_SCHEDULE_DELAY="100",
            OTEL_METRIC_EXPORT_INTERVAL="500",
        )
        setup = Program(guard, folder, env, "setup", "apply")
        assert setup.run(within=120) == 0, setup.text
        journal = stack.enter_context(Journal(kafka.bootstrap, TOPICS))
        daemon, worker = Program(guard, folder, env, "run"), Program(guard, folder, env, "worker")
        worker.start()
        daemon.start()
        program.wait_for_status(f"http://{admin}/readyz", 200, daemon)
        yield Traced(
            collector=collector,
            journal=journal,
            producer=Producer(kafka.bootstrap),
            bridge=CommandLine(folder, env),
            daemon=daemon,
            worker=worker,
            admin=f"http://{admin}",
            folder=folder,
        )
        codes = [each.terminate() for each in (daemon, worker) if each.is_running()]
        assert codes == [0, 0], daemon.text[-3000:] + worker.text[-3000:]

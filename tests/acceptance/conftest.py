"""The whole line as a user runs it: real servers, `bridge setup apply`, `bridge run`, `bridge worker`."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.dev import processes
from tests.acceptance import commands, contract, endpoint, program
from tests.acceptance.endpoint import Endpoint
from tests.acceptance.journal import Journal
from tests.acceptance.producer import Producer, Sent
from tests.acceptance.program import Program
from tests.acceptance.temporal_view import TemporalView
from tests.servers import ports
from tests.servers.fixtures import Kafka, Mail, Temporal

COMMANDS = (
    *("invoice.process", "invoice.approve", "invoice.cancel"),
    *("campaign.create", "campaign.approve", "campaign.cancel", "lead.score"),
)
ANSWERS = "acceptance.answers"
"""A reply topic that a command may name."""

OUTCOMES = (
    *("invoice.events", "campaign.events", "lead.events"),
    *("invoice.lifecycle", "campaign.lifecycle", "lead.lifecycle"),
    "bridge.replies",
    *(f"{name}.dlq" for name in COMMANDS),
)


@dataclass
class Line:
    """Everything that a test touches; `never` is an approval of an invoice that never comes."""

    kafka: Kafka
    temporal: Temporal
    mail: Mail
    endpoint: Endpoint
    database: Path
    folder: Path
    env: dict[str, str]
    admin: str
    daemon: Program
    worker: Program
    journal: Journal
    producer: Producer
    view: TemporalView
    never: Sent

    def start_daemon(self) -> None:
        self.daemon.start()
        program.wait_for_status(f"{self.admin}/readyz", 200, self.daemon)


@pytest.fixture(scope="package")
def line(
    kafka: Kafka,
    temporal: Temporal,
    mail: Mail,
    guard: processes.Guard,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Line]:
    """Give the running line; it is stopped as a user would, and must end well."""
    folder = tmp_path_factory.mktemp("acceptance")
    admin = f"127.0.0.1:{ports.free()}"
    database = folder / "workers.db"
    with contextlib.ExitStack() as stack:
        others = stack.enter_context(endpoint.serving())
        env = program.environment(
            KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
            KAFKA_SESSION_TIMEOUT_MS="3000",
            TEMPORAL_ADDRESS=temporal.address,
            BRIDGE_GROUP_ID=contract.GROUP,
            BRIDGE_ADMIN_ADDRESS=admin,
            BRIDGE_SWEEP_INTERVAL="1",
            BRIDGE_REPLY_TOPICS=f"bridge.replies,{ANSWERS}",
            BRIDGE_DRAIN_TIMEOUT="8",
            WORKERS_DATABASE_URL=f"sqlite+aiosqlite:///{database}",
            WORKERS_SMTP_URL=mail.url,
            WORKERS_CONTENT_URL=f"{others.url}/v1",
            WORKERS_CONTENT_MODEL=endpoint.MODEL,
            WORKERS_CONTENT_API_KEY=endpoint.KEY,
            WORKERS_CHANNEL_SEARCH_URL=f"{others.url}/search",
            WORKERS_CHANNEL_SOCIAL_URL=f"{others.url}/social",
        )
        setup = Program(guard, folder, env, "setup", "apply")
        assert setup.run() == 0, setup.text
        journal = stack.enter_context(Journal(kafka.bootstrap, (*OUTCOMES, ANSWERS)))
        producer = Producer(kafka.bootstrap)
        daemon, worker = Program(guard, folder, env, "run"), Program(guard, folder, env, "worker")
        line = Line(
            kafka=kafka,
            temporal=temporal,
            mail=mail,
            endpoint=others,
            database=database,
            folder=folder,
            env=env,
            admin=f"http://{admin}",
            daemon=daemon,
            worker=worker,
            journal=journal,
            producer=producer,
            view=TemporalView(temporal.address),
            # It is waited for a minute: meanwhile the other tests run.
            never=producer.send(commands.approve("invoice", commands.fresh("never"))),
        )
        worker.start()
        line.start_daemon()
        yield line
        codes = [each.terminate() for each in (daemon, worker) if each.is_running()]
        assert codes == [0, 0], daemon.text[-3000:] + worker.text[-3000:]

"""A daemon and a worker in which problems are planted, on a Kafka that asks for a login, behind proxies."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public there, but not marked as exported
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.producer import Command, Producer, Sent
from tests.acceptance.program import Program
from tests.cli.command_line import CommandLine
from tests.faults.proxy import Proxy
from tests.faults.wired import Wired
from tests.servers import ports
from tests.servers.fixtures import Temporal

GROUP = "operations"
NOWHERE = "127.0.0.1:1"
USER, PASSWORD = "bridge", "s3cret"
WITHIN_SECONDS = 60.0
LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required ;"
BROKER = {
    "listener.name.wire.sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "listener.name.wire.scram-sha-256.sasl.jaas.config": LOGIN,
}
ROUTES = f"""
domains = ["invoice"]

[bridge]
group_id = "{GROUP}"
max_waiting = 40

[[route]]
command = "job.begin"
verb = "start"
workflow = "Job"
task_queue = "jobs"
id = "job-{{job_id}}"

[[route]]
command = "job.mislead"
verb = "start"
workflow = "InvoiceProcessing"
task_queue = "finanse"
id = "misled-{{job_id}}"

[[route]]
command = "job.change"
verb = "update"
update = "change"
id = "job-{{job_id}}"

[[route]]
command = "job.announce"
verb = "start"
workflow = "Job"
task_queue = "jobs"
id = "announced-{{job_id}}"
lifecycle = "job.announcements"
"""


@dataclass
class Stack:
    """Everything that a problem is planted in, and what an operator looks at."""

    kafka: Wired
    wire: Proxy
    temporal: Proxy
    daemon: Program
    url: str
    line: CommandLine
    producer: Producer

    def doctor(self) -> list[dict[str, Any]]:
        """Return what `bridge doctor -o json` prints."""
        return self.line.here("doctor", "-o", "json").rows

    def trace(self, text: str) -> str:
        """Return what `bridge trace` prints."""
        ended = self.line.here("trace", text)
        return ended.out + ended.err

    def overview(self) -> Any:
        """Return what the page shows."""
        return httpx.get(f"{self.url}/v1/overview", timeout=10).json()

    def apply(self) -> None:
        """Make what is missing, as the runbook says."""
        made = self.line.here("setup", "apply")
        assert made.code == 0, made.err

    def send(self, kind: str, job: str, **more: Any) -> Sent:
        return self.producer.send(Command(kind, {"job_id": job, **more}))

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.kafka.bootstrap})

    def grant(self) -> None:
        """Let the daemon log in."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
        _altered(self.admin(), UserScramCredentialUpsertion(USER, info, PASSWORD.encode()))

    def revoke(self) -> None:
        """Let it log in no more, and make it do so."""
        _altered(self.admin(), UserScramCredentialDeletion(USER, ScramMechanism.SCRAM_SHA_256))
        self.wire.reset()

    def wait_ready(self) -> None:
        program.wait_for_status(f"{self.url}/readyz", 200, self.daemon, WITHIN_SECONDS)


def _altered(admin: AdminClient, change: UserScramCredentialUpsertion | UserScramCredentialDeletion) -> None:
    for made in admin.alter_user_scram_credentials([change]).values():
        made.result(20)


@pytest.fixture(scope="package")
def stack(temporal: Temporal, guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give the stack; the daemon is stopped as a user would, and must end well after all that."""
    folder = tmp_path_factory.mktemp("operations")
    (folder / "bridge.toml").write_text(ROUTES)
    with contextlib.ExitStack() as opened:
        wire = opened.enter_context(Proxy(f"{ports.HOST}:{ports.free()}"))
        slow = opened.enter_context(Proxy(temporal.address))
        kafka = opened.enter_context(_running(guard, folder, wire))
        address = f"127.0.0.1:{ports.free()}"
        env = program.environment(
            KAFKA_BOOTSTRAP_SERVERS=wire.address,
            KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
            KAFKA_SASL_MECHANISM="SCRAM-SHA-256",
            KAFKA_SASL_USERNAME=USER,
            KAFKA_SASL_PASSWORD=PASSWORD,
            KAFKA_SESSION_TIMEOUT_MS="3000",
            TEMPORAL_ADDRESS=slow.address,
            TEMPORAL_NAMESPACE=GROUP,
            BRIDGE_ADMIN_ADDRESS=address,
            BRIDGE_DRAIN_TIMEOUT="8",
            WORKERS_DATABASE_URL=f"sqlite+aiosqlite:///{folder}/workers.db",
            WORKERS_SMTP_URL=f"smtp://{NOWHERE}",
        )
        daemon, worker = Program(guard, folder, env, "run"), Program(guard, folder, env, "worker", "--queue", "finance")
        line, producer = CommandLine(folder, env), Producer(kafka.bootstrap)
        found = Stack(kafka, wire, slow, daemon, f"http://{address}", line, producer)
        found.grant()
        found.apply()
        worker.start()
        daemon.start()
        found.wait_ready()
        yield found
        codes = daemon.terminate(), worker.terminate()
        assert codes == (0, 0), daemon.text[-3000:] + worker.text[-3000:]


@contextlib.contextmanager
def _running(guard: processes.Guard, folder: Path, wire: Proxy) -> Iterator[Wired]:
    kafka = Wired(guard, folder, wire, "SASL_PLAINTEXT", **BROKER)
    kafka.start()
    kafka.wait_ready()
    yield kafka
    kafka.stop()
    shutil.rmtree(folder / "kafka")

"""Servers that let nobody in without a certificate, a login and a key, and our processes before them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.dev import kafka as dev_kafka
from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.conftest import OUTCOMES
from tests.acceptance.journal import Journal
from tests.acceptance.producer import Producer
from tests.acceptance.program import Program
from tests.acceptance.temporal_view import TemporalView
from tests.cli.command_line import CommandLine
from tests.servers import backed, ports
from tests.servers.fixtures import Mail, Temporal
from tests.wire import broker, wired
from tests.wire.authority import Authority
from tests.wire.broker import Secured
from tests.wire.frontend import Frontend
from tests.wire.wired import Files

PAGE = "http://temporal.example"
"""Where a browser has Temporal's UI from."""

ROUTES = """
domains = ["invoice"]

[[route]]
command = "secret.kept"
verb = "start"
workflow = "Secret"
task_queue = "secrets"
id = "kept-{secret_id}"
result = true

[[route]]
command = "secret.shown"
verb = "start"
workflow = "Secret"
task_queue = "secrets"
id = "shown-{secret_id}"
result = "decrypted"
"""


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="package")
def kafka(guard: processes.Guard, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    if not backed.is_contained() and dev_kafka.find().java is None:
        pytest.skip("this broker is told of files of this machine: Java is needed, or --servers=containers")
    kafka = Secured(guard, tmp_path_factory.mktemp("secured"), authority)
    kafka.start()
    kafka.wait_ready()
    kafka.set_password(broker.SCRAM_PASSWORD)
    yield kafka
    kafka.stop()


@pytest.fixture(scope="package")
def frontend(temporal: Temporal, authority: Authority) -> Iterator[Frontend]:
    with Frontend(temporal.address) as frontend:
        frontend.open(authority, wired.FIRST_API_KEY)
        yield frontend


@pytest.fixture(scope="package")
def files(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Files:
    files = Files(tmp_path_factory.mktemp("files"))
    files.show(
        authority,
        password=broker.SCRAM_PASSWORD,
        key_password=wired.KEY_PASSWORD,
        api_key=wired.FIRST_API_KEY,
    )
    files.replace("payload.keys", wired.FIRST_PAYLOAD_KEY.encode())
    return files


@dataclass
class Line:
    """The running daemon and workers; `journal`, `producer` and `view` watch where nothing is asked."""

    env: dict[str, str]
    folder: Path
    admin: str
    daemon: Program
    worker: Program
    journal: Journal
    producer: Producer
    view: TemporalView

    @property
    def command_line(self) -> CommandLine:
        return CommandLine(
            self.folder, {name: value for name, value in self.env.items() if name.startswith(program.OURS)}
        )


@pytest.fixture(scope="package")
def line(
    kafka: Secured,
    frontend: Frontend,
    files: Files,
    temporal: Temporal,
    mail: Mail,
    guard: processes.Guard,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("wire")
    (folder / "bridge.toml").write_text(ROUTES)
    admin = f"127.0.0.1:{ports.free()}"
    env = program.environment(
        **files.environment(kafka, frontend),
        KAFKA_SESSION_TIMEOUT_MS="3000",
        BRIDGE_GROUP_ID="wire",
        BRIDGE_ADMIN_ADDRESS=admin,
        BRIDGE_CODEC_ORIGINS=PAGE,
        BRIDGE_SWEEP_INTERVAL="1",
        WORKERS_DATABASE_URL=f"sqlite+aiosqlite:///{folder / 'workers.db'}",
        WORKERS_SMTP_URL=mail.url,
    )
    setup = Program(guard, folder, env, "setup", "apply")
    assert setup.run() == 0, setup.text
    with contextlib.ExitStack() as stack:
        there = [topic for topic in OUTCOMES if topic.startswith(("invoice", "bridge"))] + ["secret.lifecycle"]
        journal = stack.enter_context(Journal(kafka.bootstrap, there))
        daemon, worker = Program(guard, folder, env, "run"), Program(guard, folder, env, "worker", "--queue", "finance")
        worker.start()
        daemon.start()
        program.wait_for_status(f"http://{admin}/readyz", 200, daemon)
        yield Line(
            env=env,
            folder=folder,
            admin=f"http://{admin}",
            daemon=daemon,
            worker=worker,
            journal=journal,
            producer=Producer(kafka.bootstrap),
            view=TemporalView(temporal.address, "wire"),
        )
        codes = [each.terminate() for each in (daemon, worker)]
        assert codes == [0, 0], daemon.text[-3000:] + worker.text[-3000:]

"""A daemon with a token, over routes of its own: these tests pause it, stop it and put its dead letters back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.producer import Command, Producer, encode
from tests.acceptance.program import Program
from tests.acceptance.temporal_view import TemporalView
from tests.deadletter.desk import until
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal

TOKEN = "the-admins-token"
ROUTES = """
domains = []

[bridge]
group_id = "admin-tests"
max_waiting = 50

[[route]]
command = "visit.begin"
verb = "start"
workflow = "Visit"
task_queue = "nobody"
id = "visit-{visit_id}"

[[route]]
command = "visit.note"
verb = "signal"
signal = "note"
id = "visit-{visit_id}"
missing = "dead_letter"

[[route]]
command = "visit.change"
verb = "update"
update = "change"
id = "visit-{visit_id}"
"""


@dataclass
class Admin:
    """A daemon, asked over HTTP as an operator would."""

    url: str
    daemon: Program
    producer: Producer
    view: TemporalView
    bootstrap: str

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=60, **more)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self) -> None:
        self.daemon.start()
        program.wait_for_status(f"{self.url}/readyz", 200, self.daemon)

    def send(self, kind: str, visit: str, **data: Any) -> tuple[Command, tuple[str, int, int]]:
        command = Command(kind, {"visit_id": visit, **data})
        value, headers = encode(command, "binary")
        return command, self.producer.send_raw(kind, visit.encode(), value, headers)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        until(condition, what)


@pytest.fixture(scope="package")
def admin(
    kafka: Kafka, temporal: Temporal, guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Admin]:
    """Give the running daemon; it is stopped as a user would, and must end well."""
    folder = tmp_path_factory.mktemp("admin")
    (folder / "bridge.toml").write_text(ROUTES)
    address = f"127.0.0.1:{ports.free()}"
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
        KAFKA_SESSION_TIMEOUT_MS="3000",
        TEMPORAL_ADDRESS=temporal.address,
        BRIDGE_ADMIN_ADDRESS=address,
        BRIDGE_ADMIN_TOKEN=TOKEN,
        BRIDGE_DRAIN_TIMEOUT="8",
    )
    setup = Program(guard, folder, env, "setup", "apply")
    assert setup.run(within=120) == 0, setup.text
    found = Admin(
        f"http://{address}",
        Program(guard, folder, env, "run"),
        Producer(kafka.bootstrap),
        TemporalView(temporal.address),
        kafka.bootstrap,
    )
    found.start()
    yield found
    assert found.daemon.terminate() == 0, found.daemon.text[-3000:]
    assert TOKEN not in found.daemon.text

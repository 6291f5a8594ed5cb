"""Real servers for a test session, each started when the first test asks for it.

`pytest_plugins = ["tests.servers.fixtures"]` gives three fixtures, for sync and async tests alike:

- `kafka.bootstrap`: Apache Kafka, one node, no automatic topics;
- `temporal.address`, `temporal.ui_address`: Temporal's server with the namespace `default`, and its UI;
- `mail.url`, `mail.folder`, `mail.messages()`: an SMTP server that keeps what it is sent.

`--servers` says whether Kafka and Temporal are processes of this machine, containers, or somebody else's.

Each is a `bridge.dev.server.Server`: `kill()` is kill -9, `freeze()` and `thaw()` hold it and let it go on, `stop()`
asks, `start()` and `wait_ready()` bring it back on the same port and data, `restart()` is all of it. The calls block,
so an async test runs them by `asyncio.to_thread`. A test that takes a server away brings it back. The servers are
shared: each test has topics, group ids, business ids and workflow ids of its own. Nothing is left when pytest ends,
also by kill -9.
"""

import dataclasses
import email
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar

import pytest

import bridge.dev.kafka
import bridge.dev.mail
import bridge.dev.temporal
from bridge.dev import docker, processes, server
from tests.servers import backed, boxes, choice, contained, ports
from tests.servers.choice import Servers

AnyServer = TypeVar("AnyServer", bound=server.Server)


class Kafka(backed.Backed):
    """Apache Kafka; `bootstrap` is its address."""

    def __init__(self, guard: processes.Guard, folder: Path, files: tuple[Path, ...] = ()) -> None:
        """Run it with data in `folder`; `files` are those that its settings name."""
        port = ports.free()
        self.bootstrap = f"{ports.HOST}:{port}"
        self.folder = folder
        if backed.is_contained():
            super().__init__(guard, *boxes.kafka(folder, port, files))
        else:
            super().__init__(guard, bridge.dev.kafka.program(guard, folder / "kafka", folder / "logs", port))

    def change_segment(self, topic: str, partition: int, change: Callable[[bytes], bytes]) -> None:
        """Change the first file of a partition on the disk of a broker that was stopped."""
        data = Path(boxes.KAFKA_DATA) if backed.is_contained() else self.folder / "kafka" / "data"
        self.edit(data / f"{topic}-{partition}" / f"{0:020}.log", change)


class Temporal(backed.Backed):
    """Temporal's server and UI; `options` are more words of its command line."""

    def __init__(self, guard: processes.Guard, folder: Path, options: Sequence[str] = ()) -> None:
        port, ui_port = ports.free(), ports.free()
        self.address = f"{ports.HOST}:{port}"
        self.ui_address = f"http://{ports.HOST}:{ui_port}"
        program = bridge.dev.temporal.program(folder / "temporal", folder / "logs", port, ui_port)
        program = dataclasses.replace(program, argv=(*program.argv, *options))
        super().__init__(guard, program, boxes.temporal(folder / "temporal") if backed.is_contained() else None)


class ExternalKafka(backed.External, Kafka):
    """A Kafka that is there already."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap


class ExternalTemporal(backed.External, Temporal):
    """A Temporal that is there already; its UI is looked for where the command line's has it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.ui_address = f"http://{address.rpartition(':')[0]}:8233"


class Mail(server.Server):
    """The mail sink; a message is a file of `folder`."""

    def __init__(self, guard: processes.Guard, folder: Path) -> None:
        port = ports.free()
        self.url = f"smtp://{ports.HOST}:{port}"
        self.port = port
        self.folder = folder / "mail"
        super().__init__(guard, bridge.dev.mail.program(self.folder, folder / "logs", port))

    def messages(self) -> list[EmailMessage]:
        """Return what has arrived, in order."""
        files = sorted(self.folder.glob("*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


@pytest.fixture(scope="session")
def guard() -> Iterator[processes.Guard]:
    """Give the guard that ends every server with the session."""
    with processes.Guard() as guard:
        yield guard
    if backed.is_contained():
        contained.remove_all()


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the servers' data and logs."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def kafka(guard: processes.Guard, servers_folder: Path) -> Iterator[Kafka]:
    """Give a running Apache Kafka."""
    if choice.current() is Servers.EXTERNAL:
        yield ExternalKafka(os.environ[choice.EXTERNAL_KAFKA])
        return
    kafka = Kafka(guard, servers_folder)
    yield from _running(kafka)
    shutil.rmtree(servers_folder / "kafka")  # the logs stay for who looks for a reason
    docker.remove_volume(bridge.dev.kafka.volume(servers_folder / "kafka"))


@pytest.fixture(scope="session")
def temporal(guard: processes.Guard, servers_folder: Path) -> Iterator[Temporal]:
    """Give a running Temporal server."""
    if choice.current() is Servers.EXTERNAL:
        yield ExternalTemporal(os.environ[choice.EXTERNAL_TEMPORAL])
        return
    yield from _running(Temporal(guard, servers_folder))


@pytest.fixture(scope="session")
def mail(guard: processes.Guard, servers_folder: Path) -> Iterator[Mail]:
    """Give a running mail sink."""
    yield from _running(Mail(guard, servers_folder))


def _running(started: AnyServer) -> Iterator[AnyServer]:
    started.start()
    started.wait_ready()
    yield started
    started.stop()

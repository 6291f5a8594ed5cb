"""A bridge, a worker whose runs end in every way, and the analytics consumer as a process."""

import contextlib
import itertools
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.journal import Journal
from tests.acceptance.producer import Command, Producer, encode
from tests.acceptance.program import Program
from tests.bench.kafka_side import KafkaSide
from tests.docs import render
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal

EXAMPLE = render.ROOT / "examples/analytics"
HERE = Path(__file__).parent
COMMANDS = "ride.commands"
LIFECYCLE = "ride.lifecycle"
WITHIN_SECONDS = 90.0
STOPPED_WITHIN_SECONDS = 20.0
LOOK_SECONDS = 0.1


class Consumer:
    """The example as a process, started again as often as a test wants."""

    def __init__(self, guard: processes.Guard, folder: Path, env: Mapping[str, str]) -> None:
        self._guard = guard
        self._folder = folder
        self._env = dict(env)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "nothing.log"

    def start(self) -> None:
        self.log = self._folder / f"{self._env['ANALYTICS_GROUP_ID']}-{next(self._numbers)}.log"
        argv = [sys.executable, str(EXAMPLE / "consumer.py")]
        self._process = self._guard.spawn(argv, log=self.log, env=self._env, cwd=self._folder)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        try:
            return self._process.wait(STOPPED_WITHIN_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._guard.ended(self._process)

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass(frozen=True)
class Rides:
    """Everything that a test touches."""

    guard: processes.Guard
    folder: Path
    env: Mapping[str, str]
    kafka: KafkaSide
    temporal: Temporal
    journal: Journal
    producer: Producer

    def consumer(self, group: str, database: str) -> Consumer:
        env = {"ANALYTICS_TOPICS": LIFECYCLE, "ANALYTICS_GROUP_ID": group, "ANALYTICS_DATABASE_URL": database}
        return Consumer(self.guard, self.folder, {**self.env, **env})

    def wait_until_read(self, group: str, consumer: Consumer) -> None:
        """Wait until the consumer has committed everything that there is."""
        wait_until(lambda: self.kafka.is_committed(group, LIFECYCLE), lambda: consumer.text[-3000:])

    def send(self, kind: str, ride: str, **data: Any) -> None:
        """Write one command, keyed by its ride."""
        value, headers = encode(Command(kind, {"ride_id": ride, **data}), "binary")
        self.producer.send_raw(COMMANDS, ride.encode(), value, headers)


def select(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return what a query finds; nothing as long as there is no table."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'lifecycle_events'").fetchall():
            return []
        return connection.execute(sql).fetchall()


def wait_until(is_so: Callable[[], bool], what: Callable[[], str], within: float = WITHIN_SECONDS) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"not within {within} s: {what()}"
        time.sleep(LOOK_SECONDS)


@pytest.fixture(scope="package")
def rides(
    kafka: Kafka, temporal: Temporal, guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rides]:
    """Give the running bridge; it is stopped as a user would, and must end well."""
    folder = tmp_path_factory.mktemp("rides")
    shutil.copy(HERE / "bridge.toml", folder)
    admin = f"127.0.0.1:{ports.free()}"
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
        KAFKA_SESSION_TIMEOUT_MS="3000",
        TEMPORAL_ADDRESS=temporal.address,
        BRIDGE_ADMIN_ADDRESS=admin,
    )
    setup, daemon = Program(guard, folder, env, "setup", "apply"), Program(guard, folder, env, "run")
    assert setup.run(within=120) == 0, setup.text
    worker = guard.spawn(
        [sys.executable, str(HERE / "rides.py"), temporal.address], log=folder / "worker.log", env=env, cwd=folder
    )
    daemon.start()
    program.wait_for_status(f"http://{admin}/readyz", 200, daemon)
    with Journal(kafka.bootstrap, [LIFECYCLE]) as journal:
        yield Rides(guard, folder, env, KafkaSide(kafka.bootstrap), temporal, journal, Producer(kafka.bootstrap))
    assert daemon.terminate() == 0, daemon.text[-3000:]
    worker.kill()
    worker.wait()
    guard.ended(worker)

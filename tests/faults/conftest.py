"""Servers that the faults have to themselves, behind a proxy, and a scene for each test."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.conftest import OUTCOMES
from tests.acceptance.journal import Journal
from tests.acceptance.program import Program
from tests.faults.adjustable import Adjustable
from tests.faults.entities import FINANCE, Workers
from tests.faults.proxy import Proxy
from tests.faults.scene import SETTLED_WITHIN_SECONDS, Scene
from tests.faults.wired import Wired
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(number): the row of tests/faults/table.py that a test makes")


@pytest.fixture(scope="package")
def wire() -> Iterator[Proxy]:
    """Give the proxy before Kafka's second listener."""
    with Proxy(f"{ports.HOST}:{ports.free()}") as wire:
        yield wire


@pytest.fixture(scope="package")
def ground(
    guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory, wire: Proxy
) -> Iterator[tuple[Kafka, Temporal]]:
    """Give Kafka and Temporal of our own: the topics' names are fixed, and other tests' commands lie in theirs."""
    folder = tmp_path_factory.mktemp("faults")
    kafka, temporal = Wired(guard, folder, wire), Temporal(guard, folder)
    for server in (kafka, temporal):
        server.start()
    for server in (kafka, temporal):
        server.wait_ready()
    env = program.environment(KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap, TEMPORAL_ADDRESS=temporal.address)
    setup = Program(guard, folder, env, "setup", "apply")
    assert setup.run(within=SETTLED_WITHIN_SECONDS) == 0, setup.text
    yield kafka, temporal
    for server in (kafka, temporal):
        server.stop()


@pytest.fixture(scope="package")
def journal(ground: tuple[Kafka, Temporal]) -> Iterator[Journal]:
    """Give what lies in the outcome topics."""
    with Journal(ground[0].bootstrap, OUTCOMES) as journal:
        yield journal


@pytest.fixture(scope="package")
def workers(ground: tuple[Kafka, Temporal]) -> Iterator[Workers]:
    """Give a worker that ends invoices; leads stay open."""
    with Workers(ground[1].address, [FINANCE]) as workers:
        yield workers


@pytest.fixture
def seed() -> int:
    """Give the number that draws what is random; FAULT_SEED=0x... repeats a run."""
    given = os.environ.get("FAULT_SEED")
    return int(given, 0) if given else random.SystemRandom().getrandbits(28)


@pytest.fixture
def is_full() -> bool:
    """Tell whether a fault lasts as long as its row says (`make faults`), or is shortened (`make test`)."""
    return "FAULT_FULL" in os.environ


@pytest.fixture
def scene(
    ground: tuple[Kafka, Temporal],
    journal: Journal,
    workers: Workers,
    guard: processes.Guard,
    tmp_path: Path,
    seed: int,
    is_full: bool,
    record_property: Callable[[str, object], None],
) -> Iterator[Scene]:
    """Give a group that begins behind what lies in the topics, without members yet."""
    kafka, temporal = ground
    with Proxy(temporal.address) as proxy:
        scene = Scene(seed, kafka, temporal, proxy, journal, guard, tmp_path, is_full=is_full, note=record_property)
        scene.set_up()
        try:
            with scene.sampler:
                yield scene
        finally:
            scene.wire.reset()
            scene.close()


@pytest.fixture
def adjustable(guard: processes.Guard, tmp_path: Path) -> Iterator[Adjustable]:
    """Give a Temporal for one test alone."""
    temporal = Adjustable(guard, tmp_path)
    temporal.start()
    temporal.wait_ready()
    yield temporal
    temporal.stop()


@pytest.fixture
def own_scene(
    ground: tuple[Kafka, Temporal],
    journal: Journal,
    adjustable: Adjustable,
    guard: processes.Guard,
    tmp_path: Path,
    seed: int,
    record_property: Callable[[str, object], None],
) -> Iterator[Scene]:
    """Give a scene on a Temporal of its own."""
    with Proxy(adjustable.address) as proxy, Workers(adjustable.address, [FINANCE]):
        scene = Scene(seed, ground[0], adjustable, proxy, journal, guard, tmp_path, note=record_property)
        try:
            scene.set_up()
            with scene.sampler:
                yield scene
        finally:
            scene.close()

"""A stage for each test, with a worker of its own."""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bridge.dev.temporal
from bridge.dev import processes
from tests.acceptance import program
from tests.lifecycle import deployment, plays
from tests.lifecycle.stage import Stage
from tests.servers.fixtures import Kafka, Temporal


@pytest.fixture
def mode() -> str:
    """Give how the bridge learns of ends; a test that goes through all ways parametrises this."""
    return "sweep"


@pytest.fixture
def seed() -> int:
    """Give the number that draws what is random; FAULT_SEED=0x... repeats a run."""
    given = os.environ.get("FAULT_SEED")
    return int(given, 0) if given else random.SystemRandom().getrandbits(28)


@pytest.fixture
def verbs() -> deployment.Verbs:
    """Give the commands of the deployment: each is two topics, which a Kafka that was killed must go through."""
    return deployment.VERBS


@pytest.fixture
def stage(
    kafka: Kafka,
    temporal: Temporal,
    guard: processes.Guard,
    tmp_path: Path,
    seed: int,
    mode: str,
    verbs: deployment.Verbs,
) -> Iterator[Stage]:
    """Give a group of its own, without members yet."""
    stage = Stage(f"p{seed:x}", kafka, temporal, guard, tmp_path, mode, verbs)
    with stage.journal:
        try:
            # A process, not a thread: how it ends, and what it takes of the machine, is no part of the test.
            command = [sys.executable, "-m", plays.__name__, temporal.address, stage.queue]
            worker = guard.spawn(command, log=tmp_path / "plays.log", env=program.environment())
            stage.until(
                lambda: bridge.dev.temporal.has_pollers(temporal.address, [stage.queue]), "a worker polls the queue"
            )
            yield stage
        finally:
            stage.close()
            worker.kill()
            worker.wait()
            guard.ended(worker)

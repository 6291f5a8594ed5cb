"""A stage for each test, with a worker of its own."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from bridge.dev import processes
from tests.lifecycle.plays import Stagehands
from tests.lifecycle.stage import Stage
from tests.servers.fixtures import Kafka, Temporal

Staged: TypeAlias = Callable[[str], Stage]


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
def stage(
    kafka: Kafka, temporal: Temporal, guard: processes.Guard, tmp_path: Path, seed: int, mode: str
) -> Iterator[Stage]:
    """Give a group of its own, without members yet."""
    stage = Stage(f"p{seed:x}", kafka, temporal, guard, tmp_path, mode)
    with stage.journal, Stagehands(temporal.address, stage.queue):
        try:
            yield stage
        finally:
            stage.close()

"""What the tests of callbacks need of the real servers."""

import pytest
from temporalio.client import Client

from tests.engine import feed_side
from tests.engine.conftest import prepared as prepared  # noqa: PLC0414 - a fixture is found by its name
from tests.engine.conftest import stage as stage  # noqa: PLC0414 - as above
from tests.engine.temporal_side import Stage
from tests.servers.fixtures import Kafka, Temporal


@pytest.fixture
async def feed(kafka: Kafka, prepared: Temporal) -> Stage:
    """Give a workflow id of its own, with its topics."""
    stage = Stage(await Client.connect(prepared.address))
    await feed_side.prepare(kafka, stage)
    return stage

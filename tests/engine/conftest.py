"""What the engine's tests need of the real Temporal."""

import asyncio

import pytest
from temporalio.client import Client

from bridge.setup import steps
from bridge.setup import temporal as setup
from tests.engine import feed_side
from tests.engine.temporal_side import Stage
from tests.servers.fixtures import Kafka, Temporal


@pytest.fixture(scope="session")
def prepared(temporal: Temporal) -> Temporal:
    """Give a Temporal that knows the bridge's search attributes."""

    async def prepare() -> None:
        client = await Client.connect(temporal.address)
        for step in (await setup.plan(client)).steps:
            if isinstance(step, steps.AddSearchAttribute):
                assert await setup.carry_out(client, step) is None
        assert await setup.wait_until_usable(client)

    asyncio.run(prepare())
    return temporal


@pytest.fixture
async def stage(prepared: Temporal) -> Stage:
    return Stage(await Client.connect(prepared.address))


@pytest.fixture
async def feed(kafka: Kafka, stage: Stage) -> Stage:
    """Give a stage whose feed has its topics."""
    await feed_side.prepare(kafka, stage)
    return stage

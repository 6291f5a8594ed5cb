"""What the tests of the set-up share: settings that are a test's own, on the session's servers."""

import contextlib
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from temporalio.client import Client

from bridge import connect, settings
from bridge.settings import Settings
from tests.servers.fixtures import Kafka, Temporal


@dataclass(frozen=True, slots=True)
class Site:
    """Settings whose group, reply topic and namespace no other test has."""

    settings: Settings
    reply_topic: str

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[AIOKafkaAdminClient, Client]]:
        client = await connect.temporal_client(self.settings, check_namespace=False)
        async with connect.kafka_admin(self.settings) as admin:
            yield admin, client


@pytest.fixture
def site(kafka: Kafka, temporal: Temporal) -> Site:
    word = f"setup-{uuid.uuid4().hex[:8]}"
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": word,
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "BRIDGE_GROUP_ID": word,
        "BRIDGE_REPLY_TOPICS": f"{word}.replies",
    }
    return Site(settings.load(environment), f"{word}.replies")

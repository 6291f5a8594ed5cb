"""A dead-letter topic that this account may not write, on a Kafka that asks who one is."""

import asyncio
import time
import uuid
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public there, but not marked as exported
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from bridge import connect, settings
from bridge.errors import TopicRefusedError
from bridge.outcomes.event import OutRecord
from bridge.producer import outgoing as outgoings
from bridge.producer.outgoing import Outgoing
from tests.connect import secured as servers
from tests.servers import topics
from tests.servers.fixtures import Kafka

HEALED_WITHIN_SECONDS = 20.0
POLL_SECONDS = 0.05


def admin(kafka: Kafka) -> AdminClient:
    return AdminClient(
        {
            "bootstrap.servers": kafka.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": servers.ADMIN,
            "sasl.password": servers.password(servers.ADMIN),
        }
    )


def grant(kafka: Kafka, user: str, topic: str, *operations: AclOperation) -> None:
    client = admin(kafka)
    for operation in operations:
        right = AclBinding(
            ResourceType.TOPIC,
            topic,
            ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            operation,
            AclPermissionType.ALLOW,
        )
        client.create_acls([right])[right].result(20)


def options(kafka: Kafka, user: str) -> dict[str, Any]:
    return connect.kafka_options(settings.load(servers.environment(kafka, user)))


async def until_taken(outgoing: Outgoing, record: OutRecord) -> None:
    """Write until it is taken, as the daemon does."""
    async with asyncio.timeout(HEALED_WITHIN_SECONDS):
        while True:
            try:
                return await outgoing.send([record])
            except TopicRefusedError:
                await asyncio.sleep(POLL_SECONDS)


@pytest.mark.parametrize("user", [servers.ANN, servers.BOB], ids=["may not see it", "may see it"])
async def test_a_topic_that_may_not_be_written_is_named_slows_no_other_and_heals(secured: Kafka, user: str) -> None:
    name = f"shop-{uuid.uuid4().hex[:8]}"
    letters, replies = f"{name}.dlq", f"{name}.replies"
    client = admin(secured)
    topics.make_with(client, letters, replies)
    grant(secured, user, replies, AclOperation.WRITE, AclOperation.DESCRIBE)
    letter, reply = OutRecord(letters, b"k", b"v", ()), OutRecord(replies, b"k", b"v", ())
    async with outgoings.opened(options(secured, user)) as outgoing:
        await outgoing.send([reply])
        with pytest.raises(TopicRefusedError) as caught:
            await outgoing.send([letter, reply])
        assert caught.value.topic == letters
        assert (
            str(caught.value) == f"{letters} may not be written by this account: let it Describe and Write that topic"
        )
        assert outgoing.problem() == str(caught.value)
        began = time.monotonic()
        for _ in range(50):
            await outgoing.send([reply])
            with pytest.raises(TopicRefusedError):
                await outgoing.send([letter])
        assert time.monotonic() - began < 5
        grant(secured, user, letters, AclOperation.WRITE, AclOperation.DESCRIBE)
        await until_taken(outgoing, letter)
        assert outgoing.problem() is None

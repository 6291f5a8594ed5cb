"""How the group's consumer takes part, as real Apache Kafka sees it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from confluent_kafka.admin import AdminClient

from bridge.intake import subscription
from tests.engine import kafka_side
from tests.servers.fixtures import Kafka
from topics.environment import kafka as clients
from topics.environment.sections import KafkaSection


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing is in hand."""

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Nothing is to begin."""


@contextlib.asynccontextmanager
async def consuming(kafka: Kafka, topic: str, group: str, **more: Any) -> AsyncIterator[AIOKafkaConsumer]:
    section = KafkaSection(bootstrap_servers=kafka.bootstrap, **more)
    broker = subscription.broker(section, clients.client_options(section))
    subscriber = subscription.subscriber(broker, [topic], group, section, Listener())
    await broker.start()
    try:
        assert subscriber.consumer is not None
        yield subscriber.consumer
    finally:
        await broker.stop()


async def made(kafka: Kafka) -> tuple[str, str]:
    topic = kafka_side.name("subscribed")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    return topic, kafka_side.name("group")


def member(kafka: Kafka, group: str) -> Any:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    (answer,) = admin.describe_consumer_groups([group]).values()
    (found,) = answer.result(10).members
    return found


async def test_a_group_that_is_new_begins_at_the_earliest_record(kafka: Kafka) -> None:
    topic, group = await made(kafka)
    await kafka_side.publish(kafka.bootstrap, topic, [b"1", b"2"])
    async with consuming(kafka, topic, group) as consumer, asyncio.timeout(kafka_side.WITHIN_SECONDS):
        assert [(await consumer.getone()).offset for _ in range(2)] == [0, 1]


async def test_a_static_member_comes_back_as_itself_without_a_rebalance(kafka: Kafka) -> None:
    topic, group = await made(kafka)
    found = []
    for _ in range(2):
        async with consuming(kafka, topic, group, group_instance_id="one") as consumer:
            async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
                while not consumer.assignment():
                    await consumer.getmany(timeout_ms=100)
            coordinator: Any = consumer._coordinator
            found.append((await asyncio.to_thread(member, kafka, group), coordinator.generation))
    (first, generation), (second, again) = found
    assert (first.group_instance_id, second.group_instance_id) == ("one", "one")
    assert generation == again


async def test_a_rebalance_waits_for_a_member_that_finishes_what_it_has_in_hand(kafka: Kafka) -> None:
    topic, group = await made(kafka)
    async with consuming(kafka, topic, group) as consumer:
        coordinator: Any = consumer._coordinator
        assert coordinator._rebalance_timeout_ms == subscription.REBALANCE_TIMEOUT_MS

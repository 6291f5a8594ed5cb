import asyncio
import uuid
from unittest import mock

import aiokafka
import pytest
from aiokafka import errors as kafka_errors

from bridge import closing
from tests.servers import topics
from tests.servers.fixtures import Kafka

LONG_MS = 60_000


async def test_a_consumer_whose_fetch_has_just_failed_is_closed_and_leaves_no_task(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"closing-{uuid.uuid4().hex}"
    await asyncio.to_thread(topics.make, kafka.bootstrap, topic)
    consumer = aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, retry_backoff_ms=LONG_MS)
    before = asyncio.all_tasks()
    await consumer.start()
    failed = asyncio.Event()

    async def fail(*_: object, **__: object) -> None:
        failed.set()
        raise kafka_errors.KafkaConnectionError("gone")

    (place,) = consumer.assignment()
    await consumer.position(place)
    monkeypatch.setattr(consumer._client, "send", fail)
    consumer.seek(place, 0)
    await asyncio.wait_for(failed.wait(), 10)  # it waits now, to try again
    await closing.close(consumer)
    assert asyncio.all_tasks() - before == set()


async def test_who_is_cancelled_while_it_closes_a_consumer_is_cancelled() -> None:
    begun = asyncio.Event()

    async def stop() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(closing.close(mock.Mock(spec=aiokafka.AIOKafkaConsumer), stop))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

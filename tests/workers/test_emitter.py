"""What emitters promise: the one in memory, which is shipped for tests, and the one on Apache Kafka."""

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from tests.servers import topics
from tests.servers.fixtures import Kafka
from workers.sdk import CommandReference, ids
from workers.sdk.emitter import EmitError, Emitter, Event
from workers.sdk.kafka import KafkaEmitter
from workers.sdk.record import Record
from workers.sdk.testing import MemoryEmitter, attempt, headers

CAUSE = CommandReference("c-1", "/shop", "invoice.process")
SCHEDULED = datetime(2026, 11, 21, 10, 30, 0, 123_000, tzinfo=UTC)


@dataclass
class Told:
    """An emitter, and a way to read what it told to `topic`."""

    emitter: Emitter
    topic: str
    read: Callable[[], Awaitable[list[Record]]]


async def new_topic(kafka: Kafka) -> str:
    """Make a topic of one partition, and return its name."""
    name = f"events-{uuid.uuid4()}"
    await asyncio.to_thread(topics.make, kafka.bootstrap, name)
    return name


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    return await new_topic(kafka)


@pytest.fixture(params=["memory", "kafka"])
async def told(request: pytest.FixtureRequest) -> AsyncIterator[Told]:
    if request.param == "memory":
        memory = MemoryEmitter()

        async def kept() -> list[Record]:
            return memory.records

        yield Told(memory, "events", kept)
        return
    server: Kafka = request.getfixturevalue("kafka")
    name = await new_topic(server)
    async with KafkaEmitter(bootstrap_servers=server.bootstrap) as emitter:
        yield Told(emitter, name, lambda: read(server, name))


async def read(kafka: Kafka, topic: str) -> list[Record]:
    """Return all that `topic` holds."""
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        return [
            Record(topic, found.key, found.value, tuple(found.headers), found.timestamp)
            for found in [await consumer.getone() for _ in range(end)]
        ]


async def run_attempt(
    emitter: Emitter, topic: str, *types: str, activity_id: str = "7", together: bool = False
) -> list[str]:
    """Emit events of these types in one attempt of an activity, and return their ids."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        ActivityEnvironment.default_info(),
        activity_id=activity_id,
        workflow_id="invoice-7",
        workflow_run_id="run-1",
        task_queue="finance",
        scheduled_time=SCHEDULED,
    )

    async def activity() -> list[str]:
        if together:
            return await emitter.emit_all([Event(topic, event_type, {"n": 1}, "INV-7") for event_type in types])
        return [await emitter.emit(topic, event_type, {"n": 1}, key="INV-7") for event_type in types]

    with attempt(CAUSE):
        return await environment.run(activity)


async def test_an_event_is_kept_as_it_was_built(told: Told) -> None:
    (event_id,) = await run_attempt(told.emitter, told.topic, "invoice.sent")
    (record,) = await told.read()
    head = headers(record)
    assert (record.key, record.value, record.timestamp_ms) == (b"INV-7", b'{"n":1}', 1795257000123)
    assert (head["ce_id"], head["ce_type"], head["ce_source"]) == (event_id, "invoice.sent", "/workers/finance")
    assert (head["ce_time"], head["ce_causationid"]) == ("2026-11-21T10:30:00.123Z", "c-1")


async def test_an_attempt_that_is_repeated_tells_copies(told: Told) -> None:
    first = await run_attempt(told.emitter, told.topic, "invoice.validated", "invoice.sent")
    second = await run_attempt(told.emitter, told.topic, "invoice.validated", "invoice.sent")
    records = await told.read()
    assert (first, records[:2]) == (second, records[2:])


async def test_events_of_one_attempt_are_numbered_from_one(told: Told) -> None:
    found = await run_attempt(told.emitter, told.topic, "invoice.validated", "invoice.sent")
    assert found == [str(ids.event_id("domain", "invoice-7", "run-1", "7", number)) for number in (1, 2)]


async def test_events_arrive_in_the_order_in_which_they_were_told(told: Told) -> None:
    types = [f"type-{number}" for number in range(20)]
    await run_attempt(told.emitter, told.topic, *types)
    assert [headers(record)["ce_type"] for record in await told.read()] == types


async def test_events_told_together_arrive_in_order_with_the_ids_of_events_told_one_by_one(told: Told) -> None:
    types = [f"type-{number}" for number in range(200)]
    one_by_one = await run_attempt(MemoryEmitter(), told.topic, *types)
    together = await run_attempt(told.emitter, told.topic, *types, together=True)
    assert together == one_by_one
    assert [headers(record)["ce_id"] for record in await told.read()] == one_by_one


async def test_many_activities_may_tell_at_once(told: Told) -> None:
    tellings = (run_attempt(told.emitter, told.topic, "a", activity_id=str(number)) for number in range(50))
    found = [event_id for (event_id,) in await asyncio.gather(*tellings)]
    assert sorted(found) == sorted(headers(record)["ce_id"] for record in await told.read())


async def test_without_the_interceptor_the_reason_is_told(told: Told) -> None:
    async def activity() -> str:
        return await told.emitter.emit(told.topic, "a", b"{}", key="7")

    with pytest.raises(RuntimeError, match="add BridgePlugin"):
        await ActivityEnvironment().run(activity)


async def test_memory_fails_as_often_as_it_is_told() -> None:
    memory = MemoryEmitter(away=1)
    with pytest.raises(EmitError):
        await run_attempt(memory, "events", "a")
    await run_attempt(memory, "events", "a")
    assert (len(memory.records), memory.away) == (1, 0)


async def test_kafka_that_cannot_be_reached_is_told_at_once() -> None:
    with pytest.raises(EmitError, match="Kafka cannot be reached"):
        async with KafkaEmitter(bootstrap_servers="127.0.0.1:1", ack_timeout=timedelta(seconds=2)):
            pass


async def test_kafka_away_is_told_within_the_bound_and_the_event_arrives_when_it_is_back(
    kafka: Kafka, topic: str
) -> None:
    async with KafkaEmitter(bootstrap_servers=kafka.bootstrap, ack_timeout=timedelta(seconds=3)) as emitter:
        await run_attempt(emitter, topic, "before")
        await asyncio.to_thread(kafka.kill)
        began = asyncio.get_running_loop().time()
        with pytest.raises(EmitError):
            await run_attempt(emitter, topic, "after")
        took = asyncio.get_running_loop().time() - began
        await asyncio.to_thread(kafka.start)
        await asyncio.to_thread(kafka.wait_ready)
        await run_attempt(emitter, topic, "after")
    assert [headers(record)["ce_type"] for record in await read(kafka, topic)] == ["before", "after"]
    assert took < 3 + 5 + 1


async def test_a_missing_topic_is_told_within_the_bound_and_hinders_no_other(kafka: Kafka, topic: str) -> None:
    async with KafkaEmitter(bootstrap_servers=kafka.bootstrap, ack_timeout=timedelta(seconds=1)) as emitter:
        with pytest.raises(EmitError, match="nowhere"):
            await run_attempt(emitter, "nowhere", "a")
        await run_attempt(emitter, topic, "b")
    assert [headers(record)["ce_type"] for record in await read(kafka, topic)] == ["b"]


async def test_an_event_that_is_too_large_is_not_tried_again(kafka: Kafka, topic: str) -> None:
    async def activity() -> str:
        return await emitter.emit(topic, "a", b"x" * 1_100_000, key="7")  # the broker takes a megabyte

    async with KafkaEmitter(bootstrap_servers=kafka.bootstrap) as emitter:
        with attempt(), pytest.raises(ApplicationError) as refusal:
            await ActivityEnvironment().run(activity)
    assert (refusal.value.type, refusal.value.non_retryable) == ("EventTooLarge", True)

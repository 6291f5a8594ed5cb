"""The code of the how-to pages runs as it stands there, on the real servers."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.partitioner import DefaultPartitioner
from temporalio.client import Client, WorkflowExecutionStatus

from bridge import routes, settings
from bridge.command import Command, Record
from bridge.dispatch import dispatcher
from bridge.dispatch.temporal import Temporal as Dispatch
from bridge.intake.decode import Decoder
from bridge.outcome import Accepted
from bridge.routes import Argument, Route, Routes, Verb
from bridge.setup import steps
from bridge.setup import temporal as temporal_side
from tests.docs import pages
from tests.servers import topics
from tests.servers.fixtures import Kafka, Temporal
from topics import spec

WITHIN_SECONDS = 60.0
STOPPED_WITHIN_SECONDS = 20.0

ORDER_ROUTES = Routes(
    (
        Route(
            command="order.place",
            verb=Verb.START,
            id="order-{order_id}",
            workflow="OrderPlacing",
            task_queue="orders",
            argument=Argument.DATA,
        ),
        Route(
            command="order.confirm", verb=Verb.SIGNAL, id="order-{order_id}", signal="confirm", argument=Argument.DATA
        ),
    )
)


async def make(bootstrap: str, *wanted: spec.Topic) -> None:
    for topic in wanted:
        await asyncio.to_thread(
            topics.make_missing, bootstrap, topic.name, partitions=topic.partitions, config=topic.config
        )


@contextlib.asynccontextmanager
async def following(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Read a topic from now on: before it may lie what other tests wrote, such as names that break the client."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="latest")
    await consumer.start()
    try:
        for partition in consumer.assignment():
            await consumer.position(partition)
        yield consumer
    finally:
        await consumer.stop()


async def find(consumer: AIOKafkaConsumer, key: bytes) -> "ConsumerRecord[bytes, bytes]":
    """Return the next record with a key; waits for it."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            record: ConsumerRecord[bytes, bytes] = await consumer.getone()
            if record.key == key:
                return record


def environment(**ours: str) -> dict[str, str]:
    return {**os.environ, **ours}


def run(script: Path, bootstrap: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, script],
        env=environment(KAFKA_BOOTSTRAP_SERVERS=bootstrap),
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_SECONDS,
    )


def accepted(record: "ConsumerRecord[bytes, bytes]", decoder: Decoder) -> Command:
    decoded = decoder.decode(
        Record(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            tuple(record.headers),
        )
    )
    assert isinstance(decoded, Command), decoded
    return decoded


async def test_the_producer_of_the_how_to_publishes_a_command(kafka: Kafka, tmp_path: Path) -> None:
    script = tmp_path / "publish.py"
    script.write_text(pages.block("docs/how-to/publish.md", "python"))
    topic = spec.command_topic("lead.score")
    await make(kafka.bootstrap, topic)

    async with following(kafka.bootstrap, topic.name) as consumer:
        done = await asyncio.to_thread(run, script, kafka.bootstrap)
        assert done.returncode == 0, done.stderr
        record = await find(consumer, b"L-42")

    command = accepted(record, Decoder(routes.table(settings.ALL_DOMAINS)))
    assert command.identity.source == "/shop/checkout"
    assert command.workflow_id == "lead-L-42"
    everything = list(range(topic.partitions))
    assert record.partition == DefaultPartitioner()(b"L-42", everything, everything)


async def test_the_worker_of_the_how_to_takes_commands_and_tells_kafka(
    kafka: Kafka, temporal: Temporal, tmp_path: Path
) -> None:
    for number, name in enumerate(("order_workflow.py", "order_worker.py")):
        (tmp_path / name).write_text(pages.block("docs/how-to/workers.md", "python", number))
    await make(kafka.bootstrap, spec.event_topic("order.events"))
    client = await Client.connect(temporal.address)
    await let_runs_be_marked(client)
    dispatch = Dispatch(client, f"docs-{uuid.uuid4().hex[:8]}")
    order = f"O-{uuid.uuid4().hex[:8]}"
    place, confirm = commands(("order.place", "order.confirm"), order)
    worker = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
        [sys.executable, "order_worker.py"],
        cwd=tmp_path,
        env=environment(KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap, TEMPORAL_ADDRESS=temporal.address),
    )
    try:
        async with following(kafka.bootstrap, "order.events") as consumer:
            placed = await dispatcher.dispatch(dispatch, place, fresh=True)
            event = await find(consumer, order.encode())
        first = await dispatcher.dispatch(dispatch, confirm, fresh=False)
        async with asyncio.timeout(WITHIN_SECONDS):
            confirmations = await client.get_workflow_handle(f"order-{order}").result()
    finally:
        worker.terminate()
        try:
            await asyncio.to_thread(worker.wait, STOPPED_WITHIN_SECONDS)
        finally:
            worker.kill()
            await asyncio.to_thread(worker.wait)

    assert isinstance(placed, Accepted)
    assert isinstance(first, Accepted)
    assert confirmations == 1
    headers = dict(event.headers)
    assert headers["ce_type"] == b"order.placed"
    assert headers["ce_causationid"].decode() == place.identity.id
    assert json.loads(event.value or b"") == {"order_id": order}
    described = await client.get_workflow_handle(f"order-{order}").describe()
    assert described.status is WorkflowExecutionStatus.COMPLETED


async def let_runs_be_marked(client: Client) -> None:
    """Register the search attributes that every run of the bridge carries."""
    for step in (await temporal_side.plan(client)).steps:
        assert isinstance(step, steps.TemporalStep)
        assert await temporal_side.carry_out(client, step) is None
    assert await temporal_side.wait_until_usable(client)


def commands(names: Iterable[str], order: str) -> list[Command]:
    """Return commands for an order, decoded as if they had come from Kafka."""
    decoder = Decoder(ORDER_ROUTES)
    found = []
    for name in names:
        headers = {"ce_specversion": "1.0", "ce_id": str(uuid.uuid4()), "ce_source": "/docs", "ce_type": name}
        value = json.dumps({"order_id": order}).encode()
        record = Record(name, 0, 0, 1_800_000_000_000, None, value, tuple((k, v.encode()) for k, v in headers.items()))
        decoded = decoder.decode(record)
        assert isinstance(decoded, Command), decoded
        found.append(decoded)
    return found

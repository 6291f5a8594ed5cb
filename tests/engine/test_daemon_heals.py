"""A daemon whose consumer or producer has broken goes on without a restart of the process."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber
from temporalio.client import Client

from bridge import connect, settings
from bridge.app import Daemon
from bridge.dev import processes
from bridge.errors import KafkaAwayError
from bridge.intake import watchdog
from bridge.outcomes.event import OutRecord
from bridge.producer import outbox as outboxes
from bridge.producer import outgoing as outgoings
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from tests.acceptance import program
from tests.acceptance.program import Program
from tests.engine import kafka_side
from tests.engine.kafka_side import until
from tests.servers.fixtures import Kafka, Temporal

LOOK_EVERY = timedelta(milliseconds=200)
AFTER = timedelta(seconds=2)
ROUTES = """
domains = []
[[route]]
command = "{topic}"
verb = "start"
workflow = "Heals"
task_queue = "{topic}"
id = "{topic}-{{id}}"
lifecycle = ""
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon, the topic that it reads, and a client of its Temporal."""

    daemon: Daemon
    topic: str
    client: Client


@pytest.fixture
async def running(
    kafka: Kafka, temporal: Temporal, guard: processes.Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    """Give a daemon that runs in this process, over a topic of its own."""
    topic = kafka_side.name("heals")
    (tmp_path / "bridge.toml").write_text(ROUTES.format(topic=topic))
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
        TEMPORAL_ADDRESS=temporal.address,
        BRIDGE_GROUP_ID=topic,
        BRIDGE_CONFIG=str(tmp_path / "bridge.toml"),
    )
    setup = Program(guard, tmp_path, env, "setup", "apply")
    assert await asyncio.to_thread(setup.run, 120) == 0, setup.text
    monkeypatch.setattr(watchdog, "stuck", functools.partial(watchdog.stuck, look_every=LOOK_EVERY, after=AFTER))
    loaded = settings.load(env)
    client = await connect.temporal_client(loaded)
    health = Health({Part.INTAKE: "not joined"})
    stop = asyncio.Event()
    async with outgoings.opened(connect.kafka_options(loaded)) as outgoing:
        daemon = Daemon(loaded, client, outgoing, health, Metrics())
        work = asyncio.create_task(daemon.run(stop))
        await until(lambda: health.ready, "the daemon is ready")
        yield Running(daemon, topic, client)
        stop.set()
        assert await work == 0


async def send(kafka: Kafka, topic: str, *keys: str) -> None:
    await kafka_side.publish(kafka.bootstrap, topic, [json.dumps({"id": key}).encode() for key in keys])


async def has_run(client: Client, workflow_id: str) -> bool:
    with contextlib.suppress(Exception):
        await client.get_workflow_handle(workflow_id).describe()
        return True
    return False


async def test_a_producer_with_a_fatal_error_is_told_replaced_and_the_record_written(kafka: Kafka) -> None:
    topic = kafka_side.name("fatal")
    await kafka_side.make_topics(kafka.bootstrap, topic)
    record = OutRecord(topic, b"k", b"v", ())
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        broken: Any = await outbox._running()
        broken.producer._message_accumulator.fail_all(OutOfOrderSequenceNumber())  # as its sender does when it ends
        with pytest.raises(KafkaAwayError):
            await outbox.send([record])
        await outbox.send([record])
    assert [found.value for found in await kafka_side.read_all(kafka.bootstrap, topic)] == [b"v"]


async def test_a_consumer_that_takes_nothing_is_replaced_and_the_records_are_carried_out(
    running: Running, kafka: Kafka
) -> None:
    daemon, topic = running.daemon, running.topic
    await send(kafka, topic, "a")
    await until(lambda: daemon._intake.taking.count == 1, "the first is taken")
    broken = daemon._intake.consumer
    fetcher: Any = broken._fetcher
    fetcher._fetch_task.cancel()  # as a defect of the client would
    async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
        while daemon._intake._consumer is broken:  # what was asked for already may still come
            await send(kafka, topic, "b")
    await until(lambda: daemon._health.ready, "it is ready again")
    await send(kafka, topic, "c")
    async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
        for key in "abc":
            while not await has_run(running.client, f"{topic}-{key}"):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(kafka_side.POLL_SECONDS)

"""The whole daemon with callbacks: both sources together, once, and behind Kafka's acknowledgement."""

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jiter
import pytest
from aiokafka import AIOKafkaConsumer
from temporalio.client import Client

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.program import Program
from tests.callbacks import endings
from tests.engine import kafka_side
from tests.engine.kafka_side import until
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal
from tests.telemetry import receiver

ENDS = 200
AT_ONCE = 4
SWEEP_LEAVES_SECONDS = 10
SETTLED = frozenset({"told", "known", "left_to_sweep"})
PUT_OFF = frozenset({"unavailable", "twice", "slow"})
BACK_WITHIN_SECONDS = 100
ROUTES = """
domains = []
[[route]]
command = "{topic}"
verb = "start"
workflow = "Ends"
task_queue = "{topic}"
id = "{topic}-{{id}}"
lifecycle = "{topic}.lifecycle"
replies = "none"
"""


@dataclass
class Line:
    """A daemon with callbacks, its worker, and what arrives in the lifecycle topic with the time of its arrival."""

    kafka: Kafka
    client: Client
    daemon: Program
    admin: str
    topic: str
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    traceparents: list[bytes | None] = field(default_factory=list)

    async def send(self, *ids: str, **data: Any) -> None:
        values = [json.dumps({"id": name, **data}).encode() for name in ids]
        await kafka_side.publish(self.kafka.bootstrap, self.topic, values)

    async def follow(self) -> None:
        async with AIOKafkaConsumer(
            f"{self.topic}.lifecycle", bootstrap_servers=self.kafka.bootstrap, auto_offset_reset="earliest"
        ) as consumer:
            async for record in consumer:
                self.traceparents.append(dict(record.headers).get("traceparent"))
                self.events.append((time.time(), jiter.from_json(record.value or b"")))

    def of(self, name: str) -> list[str]:
        return [event["state"] for _, event in self.events if event["workflow_id"] == f"{self.topic}-{name}"]

    def callbacks(self) -> dict[str, int]:
        """Return how many callbacks had which outcome."""
        counted = re.findall(
            r'^bridge_callbacks_total{outcome="(\w+)"} (\S+)', program.get(f"{self.admin}/metrics")[1], re.MULTILINE
        )
        return {outcome: int(float(count)) for outcome, count in counted}

    def metric(self, name: str) -> float:
        lines = program.get(f"{self.admin}/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.fixture
def settings_of(
    kafka: Kafka, temporal: Temporal, guard: processes.Guard, tmp_path: Path
) -> tuple[Program, dict[str, str]]:
    """Give a deployment that is set up, its daemon not started yet, and its environment."""
    topic = kafka_side.name("callbacks")
    (tmp_path / "bridge.toml").write_text(ROUTES.format(topic=topic))
    address = f"{ports.HOST}:{ports.free()}"
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
        TEMPORAL_ADDRESS=temporal.address,
        BRIDGE_GROUP_ID=topic,
        BRIDGE_CONFIG=str(tmp_path / "bridge.toml"),
        BRIDGE_ADMIN_ADDRESS=f"{ports.HOST}:{ports.free()}",
        BRIDGE_CALLBACK_URL=f"http://{address}",
        BRIDGE_CALLBACK_ADDRESS=address,
        BRIDGE_CALLBACK_SECRET="of the test",
    )
    setup = Program(guard, tmp_path, env, "setup", "apply")
    assert setup.run(120) == 0, setup.text
    return Program(guard, tmp_path, env, "run"), env


@pytest.fixture
async def line(settings_of: tuple[Program, dict[str, str]], kafka: Kafka, temporal: Temporal) -> AsyncIterator[Line]:
    """Give the line, ready."""
    async with started(*settings_of, kafka, temporal) as made:
        yield made


@contextlib.asynccontextmanager
async def started(daemon: Program, env: dict[str, str], kafka: Kafka, temporal: Temporal) -> AsyncIterator[Line]:
    topic, admin = env["BRIDGE_GROUP_ID"], f"http://{env['BRIDGE_ADMIN_ADDRESS']}"
    client = await Client.connect(temporal.address)
    made = Line(kafka, client, daemon, admin, topic)
    await asyncio.to_thread(daemon.start)
    await asyncio.to_thread(program.wait_for_status, f"{admin}/readyz", 200, daemon)
    following = asyncio.create_task(made.follow())
    async with endings.worker(client, topic):
        yield made
    following.cancel()
    assert await asyncio.to_thread(daemon.terminate) == 0, daemon.text[-3000:]


async def test_two_hundred_ends_are_announced_each_once_by_callbacks_with_the_sweep_beside(line: Line) -> None:
    names = [f"{number}" for number in range(ENDS)]
    for first in range(0, ENDS, AT_ONCE):  # at a pace that the development server keeps up with
        await line.send(*names[first : first + AT_ONCE])
        await until(lambda: len(line.events) >= 2 * (first + AT_ONCE), "they are announced")  # noqa: B023 - asked in this turn
    last = max(at for at, _ in line.events)
    # The sweep looks at them all once they are old enough for it, and has nothing to add.
    await until(lambda: time.time() > last + SWEEP_LEAVES_SECONDS + 6, "the sweep has gone by")
    assert {name: line.of(name) for name in names} == {name: ["started", "completed"] for name in names}
    assert line.metric('bridge_lifecycle_events_total{state="completed"}') == ENDS
    # What was put off, if anything was, comes again.
    await until(
        lambda: sum(line.callbacks().get(each, 0) for each in SETTLED) >= ENDS, "all are settled", BACK_WITHIN_SECONDS
    )
    outcomes = line.callbacks()
    assert sum(outcomes.get(each, 0) for each in SETTLED) == ENDS
    assert set(outcomes) <= SETTLED | PUT_OFF
    assert outcomes["told"] > 0
    assert {name: line.of(name) for name in names} == {name: ["started", "completed"] for name in names}


async def test_while_kafka_is_away_a_callback_is_put_off_and_the_end_is_announced_afterwards(line: Line) -> None:
    await line.send("waits", stays=True)
    await until(lambda: line.of("waits") == ["started"], "the run is announced")
    await asyncio.to_thread(line.kafka.kill)
    try:
        await line.client.get_workflow_handle(f"{line.topic}-waits").terminate()
        await until(lambda: line.metric('bridge_callbacks_total{outcome="unavailable"}') > 0, "a callback is put off")
        assert line.metric('bridge_callbacks_total{outcome="told"}') == 0
    finally:
        await asyncio.to_thread(line.kafka.restart)
    # Temporal lets an address that failed rest for a minute; the feed must find its owner again.
    await until(lambda: line.of("waits") == ["started", "terminated"], "the end is announced", BACK_WITHIN_SECONDS)


async def test_an_end_that_a_callback_told_is_in_the_trace_of_its_command(
    settings_of: tuple[Program, dict[str, str]], kafka: Kafka, temporal: Temporal
) -> None:
    daemon, env = settings_of
    trace_id, parent = uuid.uuid4().hex, "00f067aa0ba902b7"
    with receiver.receiving() as collector:
        daemon._env = env | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        async with started(daemon, env, kafka, temporal) as line, kafka_side.producing(kafka.bootstrap) as producer:
            traced = [("traceparent", f"00-{trace_id}-{parent}-01".encode())]
            await producer.send_and_wait(line.topic, b'{"id": "traced"}', headers=traced)
            await until(lambda: line.of("traced") == ["started", "completed"], "the run has ended")
            assert line.metric('bridge_callbacks_total{outcome="told"}') == 1
            spans = await asyncio.to_thread(collector.wait_for, trace_id, lambda found: len(found) == 2)
    (process,) = [span for span in spans if span.name == f"process {line.topic}"]
    assert process.parent_id == parent
    told = f"00-{trace_id}-{process.span_id}-01".encode()
    assert line.traceparents == [told, told]


async def test_readiness_says_which_mode_is_used(line: Line) -> None:
    await line.send("one")
    await until(lambda: line.of("one") == ["started", "completed"], "the run has ended")
    assert json.loads(program.get(f"{line.admin}/readyz")[1])["lifecycle"] == {"default": "callbacks"}


def test_an_address_without_a_secret_is_refused(settings_of: tuple[Program, dict[str, str]]) -> None:
    daemon, env = settings_of
    del env["BRIDGE_CALLBACK_SECRET"]
    daemon._env = env
    assert daemon.run() == 2
    assert "BRIDGE_CALLBACK_URL is set, and BRIDGE_CALLBACK_SECRET is not" in daemon.text


def test_an_address_that_is_taken_is_refused(settings_of: tuple[Program, dict[str, str]]) -> None:
    daemon, env = settings_of
    daemon._env = env | {"BRIDGE_CALLBACK_ADDRESS": env["KAFKA_BOOTSTRAP_SERVERS"]}
    assert daemon.run() == 2
    assert "BRIDGE_CALLBACK_ADDRESS: " in daemon.text

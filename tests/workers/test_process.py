"""`python -m workers` as a process, on real servers."""

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from temporalio.client import Client

from tests.servers import topics
from tests.servers.fixtures import Kafka, Mail, Temporal
from tests.workers import commands, waiting
from tests.workers.inbox import Inbox
from workers.converter import data_converter
from workers.errors import ExitCode
from workers.invoice.workflow import InvoiceProcessing

SECONDS_MAX = 60.0
READY = "The workers are ready."


@dataclass
class Process:
    """A process of the workers; `lines` is what it has logged."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def said(self) -> list[str]:
        return [line["event"] for line in self.lines]

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(json.loads(line))

    async def ready(self) -> None:
        await waiting.until(lambda: READY in self.said or self.process.returncode is not None)
        assert READY in self.said, self.said

    async def code(self) -> int:
        async with asyncio.timeout(SECONDS_MAX):
            return await self.process.wait()

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await self.code()


@asynccontextmanager
async def running(environment: Mapping[str, str], *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "workers",
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **environment},
    )
    found = Process(process)
    async with asyncio.TaskGroup() as group:
        group.create_task(found.read())
        try:
            yield found
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def ended(environment: Mapping[str, str], *arguments: str) -> tuple[int, list[str]]:
    """Run the workers to their end, and return exit code and log."""
    async with running(environment, *arguments) as process:
        code = await process.code()
    return code, process.said


@pytest.fixture
async def servers(kafka: Kafka, temporal: Temporal, mail: Mail, tmp_path: Path) -> dict[str, str]:
    """Give the environment that names the servers; the topics of the events are there."""
    await asyncio.to_thread(topics.make_missing, kafka.bootstrap, "invoice.events")
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "TEMPORAL_ADDRESS": temporal.address,
        "WORKERS_SMTP_URL": mail.url,
        "WORKERS_DATABASE_URL": f"sqlite:///{tmp_path}/data/workers.db",
        "BRIDGE_CONNECT_TIMEOUT": "3",
    }


async def events(kafka: Kafka, topic: str, key: str) -> list[str]:
    """Return the types of the events with this key."""
    found = []
    # Without a group it is given every partition.
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        for partition in ends:
            consumer.pause(partition)
        for partition, end in ends.items():
            consumer.resume(partition)
            while await consumer.position(partition) < end:
                record = await consumer.getone(partition)
                if record.key == key.encode():
                    found.append(dict(record.headers)["ce_type"].decode())
            consumer.pause(partition)
    return found


async def test_an_invoice_goes_from_command_to_mail_and_event(
    servers: dict[str, str], kafka: Kafka, temporal: Temporal, mail: Mail
) -> None:
    client = await Client.connect(temporal.address, data_converter=data_converter)
    invoice_id = f"INV-{uuid.uuid4()}"
    command = commands.command("invoice.process", commands.invoice(invoice_id))
    async with running(servers) as process:
        await process.ready()
        run = await client.start_workflow(
            InvoiceProcessing.run, command, id=f"invoice-{invoice_id}", task_queue="finance"
        )
        result = await run.result()
        code = await process.stop()
    assert (result.status, code) == ("sent", ExitCode.DONE)
    assert [message["Subject"] for message in mail.messages()].count(f"Invoice {invoice_id}") == 1
    assert await events(kafka, "invoice.events", invoice_id) == [
        "invoice.validated",
        "invoice.sent",
        "invoice.recorded",
    ]


async def test_only_the_queues_that_are_named_are_worked_on(servers: dict[str, str]) -> None:
    async with running(servers, "--queue", "leads", "--queue", "finance") as process:
        await process.ready()
        code = await process.stop()
    (ready,) = [line for line in process.lines if line["event"] == READY]
    assert (ready["queues"], code) == (["finance", "leads"], ExitCode.DONE)


async def test_ctrl_c_drains_too(servers: dict[str, str]) -> None:
    async with running(servers, "--queue", "leads") as process:
        await process.ready()
        process.process.send_signal(signal.SIGINT)
        code = await process.code()
    assert (code, process.said[-1]) == (ExitCode.DONE, "The workers have drained.")


async def test_a_mail_in_hand_is_finished_and_not_sent_again(
    servers: dict[str, str], temporal: Temporal, inbox: Inbox
) -> None:
    client = await Client.connect(temporal.address, data_converter=data_converter)
    invoice_id = f"INV-{uuid.uuid4()}"
    command = commands.command("invoice.process", commands.invoice(invoice_id))
    environment = servers | {"WORKERS_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}"}
    inbox.hold = asyncio.Event()
    async with running(environment, "--queue", "finance") as process:
        await process.ready()
        run = await client.start_workflow(
            InvoiceProcessing.run, command, id=f"invoice-{invoice_id}", task_queue="finance"
        )
        await waiting.until(inbox.taking.is_set)
        process.process.send_signal(signal.SIGTERM)
        await waiting.until(lambda: "The workers are draining." in process.said)
        inbox.hold.set()
        code = await process.code()
    async with running(environment, "--queue", "finance") as process:
        result = await run.result()
        await process.ready()
        await process.stop()
    assert (code, result.status, len(inbox.attempted)) == (ExitCode.DONE, "sent", 1)


async def test_what_cannot_be_reported_within_the_drain_time_is_told(
    servers: dict[str, str], temporal: Temporal, inbox: Inbox
) -> None:
    client = await Client.connect(temporal.address, data_converter=data_converter)
    invoice_id = f"INV-{uuid.uuid4()}"
    command = commands.command("invoice.process", commands.invoice(invoice_id))
    environment = servers | {"WORKERS_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "BRIDGE_DRAIN_TIMEOUT": "2"}
    inbox.hold = asyncio.Event()
    async with running(environment, "--queue", "finance") as process:
        await process.ready()
        await client.start_workflow(InvoiceProcessing.run, command, id=f"invoice-{invoice_id}", task_queue="finance")
        await waiting.until(inbox.taking.is_set)
        await asyncio.to_thread(temporal.kill)
        try:
            code = await process.stop()
        finally:
            inbox.hold.set()
            await asyncio.to_thread(temporal.start)
            await asyncio.to_thread(temporal.wait_ready)
    assert code == ExitCode.DRAIN_TIMED_OUT
    assert process.said[-1] == "The workers did not finish what they had in hand: Temporal gives it to another."


async def test_a_signal_that_comes_before_anything_is_connected_ends_it(servers: dict[str, str]) -> None:
    environment = servers | {"TEMPORAL_ADDRESS": "127.0.0.1:1", "BRIDGE_CONNECT_TIMEOUT": "60", "KAFKA_FOO": "1"}
    async with running(environment) as process:
        await waiting.until(lambda: bool(process.lines))  # the warning about KAFKA_FOO
        code = await process.stop()
    assert code == ExitCode.DONE


async def test_an_unknown_queue_is_told_with_the_known_ones(servers: dict[str, str]) -> None:
    assert await ended(servers, "--queue", "nowhere") == (
        ExitCode.CONFIGURATION,
        ["nowhere is no task queue of ours: give one of finance, campaigns, leads."],
    )


async def test_all_wrong_settings_are_told_at_once(servers: dict[str, str]) -> None:
    code, said = await ended(servers | {"WORKERS_FOO": "1", "WORKERS_SMTP_URL": "mail"})
    assert (code, len(said)) == (ExitCode.CONFIGURATION, 2)


async def test_temporal_away_is_told_after_the_connect_time(servers: dict[str, str]) -> None:
    code, (line,) = await ended(servers | {"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert (code, line.startswith("Temporal at 127.0.0.1:1 could not be reached within 3 s")) == (
        ExitCode.CANNOT_CONNECT,
        True,
    )


async def test_kafka_away_is_told_after_the_connect_time(servers: dict[str, str]) -> None:
    code, said = await ended(servers | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert (code, said[-1].startswith("Kafka at 127.0.0.1:1 could not be reached within 3 s")) == (
        ExitCode.CANNOT_CONNECT,
        True,
    )


async def test_postgresql_away_is_told_after_the_connect_time(servers: dict[str, str]) -> None:
    code, said = await ended(servers | {"WORKERS_DATABASE_URL": "postgresql://ada:hunter2@127.0.0.1:1/bridge"})
    assert code == ExitCode.CANNOT_CONNECT
    assert said[-1].startswith("The database postgresql+psycopg://ada:***@127.0.0.1:1/bridge could not be reached")


async def test_an_unknown_namespace_is_told_at_once(servers: dict[str, str]) -> None:
    code, (line,) = await ended(servers | {"TEMPORAL_NAMESPACE": "nowhere"})
    assert (code, "has no namespace nowhere" in line) == (ExitCode.CONFIGURATION, True)


async def test_a_database_that_is_none_is_told_at_once(servers: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("This is no database, and it is long enough to be taken for one. " * 100)
    code, said = await ended(servers | {"WORKERS_DATABASE_URL": f"sqlite:///{tmp_path}/text.db"})
    assert (code, said[-1].endswith("correct WORKERS_DATABASE_URL.")) == (ExitCode.CONFIGURATION, True)


async def test_a_database_s_folder_that_cannot_be_made_is_told_at_once(servers: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, said = await ended(servers | {"WORKERS_DATABASE_URL": f"sqlite:///{tmp_path}/file/workers.db"})
    assert (code, said[-1].endswith("correct WORKERS_DATABASE_URL.")) == (ExitCode.CONFIGURATION, True)

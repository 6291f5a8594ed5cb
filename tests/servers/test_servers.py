import asyncio
import smtplib
import uuid

import aiokafka
import pytest
from temporalio import client as temporal_client

from bridge.dev import server
from tests.servers import choice, external, topics
from tests.servers.fixtures import Kafka, Mail, Temporal


async def publish(kafka: Kafka, topic: str, value: bytes) -> None:
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def read(kafka: Kafka, topic: str, count: int) -> list[bytes | None]:
    async with aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        return [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in range(count)]


async def make_topic(kafka: Kafka) -> str:
    name = f"servers-{uuid.uuid4().hex}"
    await asyncio.to_thread(topics.make, kafka.bootstrap, name)
    return name


async def test_kafka_keeps_records_over_kill_9(kafka: Kafka) -> None:
    topic = await make_topic(kafka)
    await publish(kafka, topic, b"before")
    await asyncio.to_thread(kafka.kill)
    await asyncio.to_thread(kafka.restart)
    await publish(kafka, topic, b"after")
    assert await read(kafka, topic, 2) == [b"before", b"after"]


async def test_kafka_keeps_records_over_a_stop(kafka: Kafka) -> None:
    topic = await make_topic(kafka)
    await publish(kafka, topic, b"before")
    await asyncio.to_thread(kafka.restart)
    assert await read(kafka, topic, 1) == [b"before"]


async def test_temporal_keeps_runs_over_kill_9(temporal: Temporal) -> None:
    workflow_id = f"servers-{uuid.uuid4().hex}"
    client = await temporal_client.Client.connect(temporal.address)
    started = await client.start_workflow("Nobody", id=workflow_id, task_queue="nobody")
    await asyncio.to_thread(temporal.kill)
    await asyncio.to_thread(temporal.restart)
    found = await client.get_workflow_handle(workflow_id).describe()
    assert found.run_id == started.first_execution_run_id


def test_mail_is_kept_byte_by_byte(mail: Mail) -> None:
    sent = f"Subject: servers {uuid.uuid4()}\r\n\r\nZ\u00fcrich\r\n.a dot first\r\n".encode()
    with smtplib.SMTP("127.0.0.1", mail.port) as connection:
        connection.sendmail("a@example.com", ["b@example.com"], sent)
    assert sent in [file.read_bytes() for file in mail.folder.glob("*.eml")]


def test_mail_is_read_in_the_order_of_its_arrival(mail: Mail) -> None:
    run = uuid.uuid4().hex
    with smtplib.SMTP("127.0.0.1", mail.port) as connection:
        for number in range(3):
            connection.sendmail("a@example.com", ["b@example.com"], f"X-Run: {run}\r\nSubject: {number}\r\n\r\n")
    assert [message["Subject"] for message in mail.messages() if message["X-Run"] == run] == ["0", "1", "2"]


def test_a_server_that_ends_is_reported_with_its_code_and_its_last_lines(mail: Mail) -> None:
    second = server.Server(mail._guard, mail.program)
    log = mail.program.log.with_name("second.log")
    second.program = server.Program("second sink", mail.program.argv, log, ready=lambda: False)
    second.start()
    with pytest.raises(server.ServerError, match=r"(?s)second sink ended with 1\..*address already in use"):
        second.wait_ready()


def test_a_kafka_like_ours_is_fit_for_the_tests(kafka: Kafka) -> None:
    assert external.unfit(kafka.bootstrap) is None


def test_servers_of_others_take_the_tests_of_one_process() -> None:
    environment = {choice.EXTERNAL_KAFKA: "127.0.0.1:9092", choice.EXTERNAL_TEMPORAL: "127.0.0.1:7233"}
    assert choice.missing(choice.Servers.EXTERNAL, 1, environment) is None
    assert "set PROCESSES=1" in str(choice.missing(choice.Servers.EXTERNAL, 2, environment))
    assert choice.missing(choice.Servers.EMBEDDED, 2, environment) is None


def test_a_kafka_that_is_not_is_told_what_it_lacks() -> None:
    settings = {"group.min.session.timeout.ms": "6000", "auto.create.topics.enable": "true"}
    wanted = ["group.min.session.timeout.ms=1000", "auto.create.topics.enable=false"]
    assert external.problems(settings) == wanted


def test_a_kafka_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "ASK_SECONDS", 1.0)
    said = str(external.unfit("127.0.0.1:1"))
    assert said.startswith("--servers=external: Kafka at 127.0.0.1:1 does not answer (")

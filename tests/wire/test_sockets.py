"""Asking whether Kafka lets us in leaves no connection behind, which a command that ends at once would never close."""

import contextlib
from pathlib import Path

import pytest

from bridge import connect, settings
from tests.wire import broker
from tests.wire.broker import Secured
from tests.wire.wired import Files
from workers import errors as workers_errors
from workers import settings as workers_settings
from workers.connect import kafka as workers_kafka


def environment(kafka: Secured, files: Files, **more: str) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.tls,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": broker.USER,
        "KAFKA_SASL_PASSWORD": broker.PLAIN_PASSWORD,
        "KAFKA_SSL_CA_LOCATION": str(files.folder / "ca.pem"),
    } | more


def open_sockets() -> set[str]:
    """Return the sockets that this process has open by now."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            found.add(str(descriptor.readlink()))
    return {name for name in found if name.startswith("socket:")}


async def test_a_login_that_is_taken_leaves_no_connection(kafka: Secured, files: Files) -> None:
    before = open_sockets()
    await connect.wait_for_kafka(settings.load(environment(kafka, files)))
    assert open_sockets() - before == set()


@pytest.mark.parametrize("mechanism", broker.MECHANISMS)
async def test_a_refused_login_leaves_no_connection(mechanism: str, kafka: Secured, files: Files) -> None:
    wrong = environment(kafka, files, KAFKA_SASL_MECHANISM=mechanism, KAFKA_SASL_PASSWORD="wr0ng")
    before = open_sockets()
    refusal = await connect.kafka_refusal(settings.load(wrong))
    assert open_sockets() - before == set()
    assert "refuses the login" in str(refusal)


async def test_a_server_that_is_not_trusted_is_left_without_a_connection(kafka: Secured, files: Files) -> None:
    unknown = {name: value for name, value in environment(kafka, files).items() if name != "KAFKA_SSL_CA_LOCATION"}
    before = open_sockets()
    refusal = await connect.kafka_refusal(settings.load(unknown))
    assert open_sockets() - before == set()
    assert "correct KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_CA_LOCATION" in str(refusal)


@pytest.mark.parametrize("mechanism", broker.MECHANISMS)
async def test_a_refused_login_of_the_workers_leaves_no_connection(
    mechanism: str, kafka: Secured, files: Files
) -> None:
    wrong = environment(kafka, files, KAFKA_SASL_MECHANISM=mechanism, KAFKA_SASL_PASSWORD="wr0ng")
    before = open_sockets()
    with pytest.raises(workers_errors.ConfigurationError, match="refuses the login"):
        await workers_kafka.connect(workers_settings.load(wrong))
    assert open_sockets() - before == set()

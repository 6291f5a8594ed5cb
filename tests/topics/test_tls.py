"""A context for TLS goes by the files as they are when a connection is made."""

import logging
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tests.wire.authority import Authority
from topics.environment import tls
from topics.environment.sections import KafkaSection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of the files that a client is told of."""
    show(Authority(tmp_path / "first"), tmp_path)
    return tmp_path


def show(authority: Authority, folder: Path) -> None:
    shown = authority.client("client")
    (folder / "ca.pem").write_bytes(authority.certificate.read_bytes())
    (folder / "client.pem").write_bytes(shown.certificate_pem)
    (folder / "client.key").write_bytes(shown.key_pem)


def section(folder: Path) -> KafkaSection:
    return KafkaSection(
        ssl_ca_location=folder / "ca.pem",
        ssl_certificate_location=folder / "client.pem",
        ssl_key_location=folder / "client.key",
    )


def meets(context: ssl.SSLContext, authority: Authority) -> str | None:
    """Return the name that a client shows to a server of a CA; None where they do not take each other."""
    shown = authority.server("server")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.certificate)
    serving.load_cert_chain(shown.certificate, shown.key)
    serving.verify_mode = ssl.CERT_REQUIRED
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    try:
        for _ in range(3):
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLError:
        return None
    shown_by_client = server.getpeercert(binary_form=True)
    assert shown_by_client is not None
    (name,) = x509.load_der_x509_certificate(shown_by_client).subject
    return str(name.value)


def test_everything_that_is_replaced_is_taken_up_by_the_next_connection(folder: Path) -> None:
    context, others = tls.kafka_context(section(folder)), Authority(folder / "others")
    assert meets(context, others) is None

    show(others, folder)

    assert meets(context, others) == "client"


def test_a_certificate_that_is_there_before_its_key_leaves_the_old_ones(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = Authority(folder / "again")
    show(first, folder)
    context, others = tls.kafka_context(section(folder)), Authority(folder / "others")
    new = others.client("client")

    (folder / "client.pem").write_bytes(new.certificate_pem)
    with caplog.at_level(logging.WARNING):
        assert [meets(context, first) for _ in range(3)] == ["client"] * 3
    assert ["client.pem" in record.getMessage() for record in caplog.records] == [True]

    (folder / "client.key").write_bytes(new.key_pem)
    (folder / "ca.pem").write_bytes(others.certificate.read_bytes())
    assert meets(context, others) == "client"


def test_a_file_that_is_gone_for_a_moment_leaves_the_old_ones(folder: Path) -> None:
    first = Authority(folder / "again")
    show(first, folder)
    context = tls.kafka_context(section(folder))
    (folder / "client.key").unlink()
    assert meets(context, first) == "client"


async def test_a_server_that_says_nothing_against_us_is_no_refusal(folder: Path) -> None:
    context = tls.kafka_context(section(folder))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    assert await tls.alert("127.0.0.1", port, context) is None

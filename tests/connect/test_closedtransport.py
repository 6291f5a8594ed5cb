"""A connection that is gone is told as such by the loop that daemon and workers run on, too."""

import asyncio
from types import ModuleType

import pytest
import uvloop
from aiokafka import conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from bridge.connect import closedtransport, connection
from tests.servers.fixtures import Kafka
from workers.sdk import closedtransport as of_workers


@pytest.mark.parametrize("mend", [closedtransport, of_workers])
def test_a_connection_that_has_just_closed_is_told_by_an_error_that_clients_know(
    mend: ModuleType, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmended = getattr(conn.AIOKafkaConnection.send, "__wrapped__", conn.AIOKafkaConnection.send)
    monkeypatch.setattr(conn.AIOKafkaConnection, "send", unmended)
    host, port = kafka.bootstrap.split(":")

    async def send_into_nothing() -> None:
        async with connection.opened(host, int(port), {}) as broker:
            assert broker._writer is not None
            broker._writer.transport.abort()  # as a server's reset does
            await asyncio.sleep(0)  # the loop has closed it, and the client has not been told yet
            broker.send(MetadataRequest([]))

    with pytest.raises(RuntimeError, match="the handler is closed"):
        uvloop.run(send_into_nothing())
    mend.install()
    mend.install()
    with pytest.raises(KafkaConnectionError, match="broken: unable to perform operation"):
        uvloop.run(send_into_nothing())

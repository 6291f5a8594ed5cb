"""A connection to one broker, held by nobody once its block has ended."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import conn


@contextlib.asynccontextmanager
async def opened(host: str, port: int, options: dict[str, Any]) -> AsyncIterator[conn.AIOKafkaConnection]:
    """Connect and log in; raises what aiokafka does, as its clients would log a refusal and go on."""
    connection = conn.AIOKafkaConnection(host, port, **options)
    try:
        await connection.connect()
        yield connection
    finally:
        await _end(connection)


async def _end(connection: conn.AIOKafkaConnection) -> None:
    # `close` only begins it: TLS then waits for the server's goodbye, and a command that ends at once would not.
    closed = connection.close()
    protocol = connection._protocol  # noqa: SLF001 - who was refused has no writer any more
    if protocol is None:  # it was never open
        return
    if protocol._transport is not None:  # noqa: SLF001 - as above
        protocol._transport.abort()  # noqa: SLF001 - as above
    await closed

import asyncio

import pytest
from aiokafka import errors as kafka_errors

from bridge.dev import server, session
from bridge.errors import ExitCode


async def test_a_server_that_has_ended_is_named_where_what_talks_to_it_fails_first() -> None:
    is_seen = asyncio.Event()

    async def watch() -> None:
        await is_seen.wait()
        raise server.ServerError("Kafka was killed by signal 9.")

    async def play() -> ExitCode:
        asyncio.get_running_loop().call_later(0.05, is_seen.set)
        raise kafka_errors.KafkaConnectionError("gone")

    with pytest.raises(server.ServerError, match="Kafka was killed"):
        await session.until_stopped(asyncio.Event(), watch(), play())

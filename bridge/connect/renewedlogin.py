"""Log in to Kafka with the password that its file holds by now, at each new connection."""

from typing import Any

from aiokafka import client, conn

from topics.environment.passwords import Password


def install() -> None:
    """Let aiokafka's clients, which keep the password that they are made with, log in by the newest."""
    client.create_conn = _create_conn  # type: ignore[attr-defined]  # it imports it, and says not so


async def _create_conn(*place: Any, **options: Any) -> conn.AIOKafkaConnection:
    password = options.get("sasl_plain_password")
    if isinstance(password, Password):
        options["sasl_plain_password"] = password.now
    connection: conn.AIOKafkaConnection = await conn.create_conn(*place, **options)
    return connection

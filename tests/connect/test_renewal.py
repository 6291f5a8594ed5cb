"""The daemon's client takes up what was replaced in files; without servers."""

import asyncio
from pathlib import Path
from typing import cast

import pytest
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

from bridge import connect, settings
from bridge.connect import renewal, temporal, waiting
from bridge.consuming import Consuming
from bridge.intake import subscription
from bridge.intake.intake import Intake
from bridge.settings import Settings
from bridge.telemetry.health import Health
from tests.wire.authority import Authority


class Server:
    """Takes every key, or none; `asked` are the keys that were tried."""

    def __init__(self) -> None:
        self.is_there = True
        self.asked: list[str | None] = []

    async def tried(self, config: ClientConnectConfig) -> Client:
        self.asked.append(config.get("api_key"))
        if not self.is_there:
            raise waiting.AwayError("no route to it")
        return await Client.connect(**config, lazy=True)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(temporal, "tried", server.tried)
    return server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text("first")
    return file


def replace(file: Path) -> None:
    file.write_text("second")


async def connected(file: Path) -> tuple[Client, Settings]:
    loaded = settings.load({"TEMPORAL_API_KEY_FILE": str(file), "TEMPORAL_ADDRESS": "127.0.0.1:1"})
    return await Client.connect(**connect.temporal_config(loaded), lazy=True), loaded


async def test_what_was_not_replaced_is_not_tried(server: Server, file: Path) -> None:
    client, loaded = await connected(file)
    await renewal.Renewal(client, loaded).look()
    assert server.asked == []


async def test_a_key_that_is_replaced_is_taken_once(server: Server, file: Path) -> None:
    client, loaded = await connected(file)
    renewing = renewal.Renewal(client, loaded)
    replace(file)
    for _ in range(2):
        await renewing.look()
    assert (server.asked, client.service_client.config.api_key) == (["second"], "second")


async def test_a_key_that_is_replaced_between_the_connection_and_the_first_look_is_taken(
    server: Server, file: Path
) -> None:
    client, loaded = await connected(file)
    replace(file)
    renewing = renewal.Renewal(client, loaded)
    await renewing.look()
    assert (server.asked, client.service_client.config.api_key) == (["second"], "second")


async def test_a_key_is_tried_again_while_the_server_is_away(server: Server, file: Path) -> None:
    client, loaded = await connected(file)
    renewing = renewal.Renewal(client, loaded)
    replace(file)
    server.is_there = False
    await renewing.look()
    assert client.service_client.config.api_key == "first"

    server.is_there = True
    await renewing.look()
    assert client.service_client.config.api_key == "second"


class ReachedError(Exception):
    """Stands for all that comes after a consumer has its options."""


async def test_a_consumer_is_replaced_also_while_the_new_files_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broker(*_: object) -> None:
        raise ReachedError

    monkeypatch.setattr(subscription, "broker", broker)
    trusted = Authority(tmp_path).certificate
    loaded = settings.load({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_LOCATION": str(trusted)})
    consuming = Consuming(loaded, cast("Intake", None), Health())  # nothing is taken in
    trusted.write_text("-----BEGIN CERTIFICATE-----\nhalf of i")

    with pytest.raises(ReachedError):
        await consuming.run(asyncio.Event())

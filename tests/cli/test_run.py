"""What `bridge run` does for speed, without being asked."""

from types import CoroutineType
from typing import Any

import pytest
import uvloop
from temporalio.client import GrpcCompression

from bridge import cli, connect, interpreter, settings
from tests.servers.fixtures import Temporal


def test_the_daemon_runs_on_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def noted(main: "CoroutineType[Any, Any, int]") -> int:
        ran.append(main.__qualname__)
        main.close()
        return 7

    monkeypatch.setattr(uvloop, "run", noted)
    monkeypatch.setattr(interpreter, "tune", lambda: None)
    monkeypatch.setenv("BRIDGE_GROUP_ID", "g")
    assert (cli.execute(["run"]), ran) == (7, ["run"])


async def test_calls_to_temporal_are_not_compressed(temporal: Temporal) -> None:
    client = await connect.temporal_client(settings.load({"TEMPORAL_ADDRESS": temporal.address}))
    assert client.service_client.config.grpc_compression is GrpcCompression.NONE

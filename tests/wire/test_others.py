"""Other people's worker encrypts with `workers.sdk.codec`, and a route says whether the feed may tell its results."""

import asyncio
import runpy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.acceptance import commands, producer
from tests.acceptance.journal import Record
from tests.acceptance.producer import Command
from tests.docs import pages
from tests.servers.fixtures import Temporal
from tests.wire.conftest import Line
from tests.wire.wired import Files
from workers.sdk.plugin import BridgePlugin

WITHIN_SECONDS = 30.0


@workflow.defn(name="Secret")
class Secret:
    @workflow.run
    async def run(self, asked: dict[str, Any]) -> dict[str, str]:
        if asked["fails"]:
            raise ApplicationError("the vault is empty", type="Empty")
        return {"answer": f"secret of {asked['secret_id']}"}


@pytest.fixture
async def others(
    temporal: Temporal, files: Files, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Run a worker that connects as the page says, and has the same keys as the daemon."""
    script = tmp_path / "connected.py"
    script.write_text(pages.block("docs/how-to/encryption.md", "python"))
    monkeypatch.setenv("BRIDGE_PAYLOAD_KEYS", (files.folder / "payload.keys").read_text())
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "wire")
    client: Client = await runpy.run_path(str(script))["connected"]()
    async with Worker(
        client,
        task_queue="secrets",
        workflows=[Secret],
        workflow_runner=UnsandboxedWorkflowRunner(),
        plugins=[BridgePlugin()],
    ):
        yield


@pytest.mark.parametrize(
    ("command", "result", "message"),
    [
        ("secret.kept", None, "Encoded failure"),
        ("secret.shown", {"answer": "secret of {number}"}, "the vault is empty"),
    ],
)
async def test_the_route_says_whether_what_was_encrypted_is_told(
    command: str, result: dict[str, str] | None, message: str, line: Line, others: None
) -> None:
    number, kind = commands.fresh("secret"), command.removeprefix("secret.")

    for secret_id, fails in ((number, False), (f"{number}-f", True)):
        value, headers = producer.encode(Command(command, {"secret_id": secret_id, "fails": fails}), "binary")
        line.producer.send_raw(command, secret_id.encode(), value, headers)
    (completed,) = await _ended(line, f"{kind}-{number}", "workflow.completed")
    (failed,) = await _ended(line, f"{kind}-{number}-f", "workflow.failed")

    expected = None if result is None else {name: text.format(number=number) for name, text in result.items()}
    assert completed.data["result"] == expected
    assert failed.data["failure"] == {"type": "Empty", "message": message}


async def _ended(line: Line, workflow_id: str, kind: str) -> list[Record]:
    return await asyncio.to_thread(line.journal.wait_for, 1, kind, subject=workflow_id, within=WITHIN_SECONDS)

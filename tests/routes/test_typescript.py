"""The example in TypeScript, as its page says: a workflow that npm builds, behind routes of a bridge.toml."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.commands import fresh
from tests.acceptance.journal import Journal
from tests.acceptance.program import Program
from tests.acceptance.temporal_view import TemporalView
from tests.cli.command_line import CommandLine
from tests.docs import render
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal

EXAMPLE = render.ROOT / "examples/typescript"
TOPIC = "shop.orders"
NPM_WITHIN_SECONDS = 170

pytestmark = [
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not there: install Node 20 to run this"),
    pytest.mark.timeout(300),
]


class Shop:
    """The example, running."""

    def __init__(self, bridge: CommandLine, journal: Journal, view: TemporalView) -> None:
        self.bridge = bridge
        self.journal = journal
        self.view = view

    def publish(self, command: str, text: str, *words: str) -> dict[str, Any]:
        ended = self.bridge.run("publish", TOPIC, "--type", command, "-o", "json", *words, stdin=text.encode())
        assert ended.out, ended.err
        return ended.rows[0]

    def answer(self, published: dict[str, Any]) -> tuple[str, str | None]:
        (reply,) = self.journal.wait_for(1, "command.accepted", "command.rejected", cause=published["id"])
        return reply.data["outcome"], reply.data["reason"]


def npm(folder: Path, *words: str) -> None:
    done = subprocess.run(
        ["npm", *words], cwd=folder, capture_output=True, text=True, timeout=NPM_WITHIN_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def shop(
    kafka: Kafka, temporal: Temporal, guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("typescript") / "shop"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    npm(folder, "install")
    npm(folder, "run", "build")
    admin = f"127.0.0.1:{ports.free()}"
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
        KAFKA_SESSION_TIMEOUT_MS="3000",
        TEMPORAL_ADDRESS=temporal.address,
        BRIDGE_ADMIN_ADDRESS=admin,
        BRIDGE_SWEEP_INTERVAL="1",
    )
    with contextlib.ExitStack() as stack:
        setup, daemon = Program(guard, folder, env, "setup", "apply"), Program(guard, folder, env, "run")
        assert setup.run() == 0, setup.text
        journal = stack.enter_context(Journal(kafka.bootstrap, ["shop.lifecycle", "bridge.replies"]))
        worker = guard.spawn(["node", "dist/worker.js"], log=folder / "worker.log", env=env, cwd=folder)
        daemon.start()
        program.wait_for_status(f"http://{admin}/readyz", 200, daemon)
        yield Shop(CommandLine(folder, env), journal, TemporalView(temporal.address))
        assert daemon.terminate() == 0, daemon.text[-3000:]
        worker.kill()
        worker.wait()
        guard.ended(worker)
        shutil.rmtree(folder)  # 280 MB of packages


def test_an_order_is_placed_changed_and_shipped(shop: Shop) -> None:
    order = fresh("order")
    shop.publish("shop.order.place", f'{{"order_id": "{order}", "lines": [{{"sku": "tea", "quantity": 2}}]}}')
    changed = shop.publish("shop.order.change", f'{{"order_id": "{order}", "sku": "tea", "quantity": 3}}')
    refused = shop.publish("shop.order.change", f'{{"order_id": "{order}", "sku": "tin", "quantity": 3}}')
    assert shop.answer(changed) == ("accepted", None)
    assert shop.answer(refused) == ("rejected", "refused_by_workflow")
    shipped = shop.publish("shop.order.ship", f'{{"order_id": "{order}", "parcel": "P-1"}}', "--wait")
    assert (shipped["outcome"], shipped["state"]) == ("accepted", "completed")
    assert shop.view.result(f"order-{order}", shipped["run_id"]) == {
        "lines": [{"sku": "tea", "quantity": 3}],
        "parcel": "P-1",
    }


def test_an_order_is_cancelled(shop: Shop) -> None:
    order = fresh("order")
    shop.publish("shop.order.place", f'{{"order_id": "{order}", "lines": [{{"sku": "tea", "quantity": 2}}]}}')
    cancelled = shop.publish("shop.order.cancel", f'{{"order_id": "{order}"}}', "--wait")
    assert (cancelled["outcome"], cancelled["state"]) == ("accepted", "cancelled")


def test_an_order_without_lines_is_refused_before_it_is_sent(shop: Shop) -> None:
    ended = shop.bridge.run("publish", TOPIC, "--type", "shop.order.place", stdin=b'{"order_id": "1", "lines": []}')
    assert (ended.code, "lines: breaks minItems 1" in ended.err) == (2, True), ended.err

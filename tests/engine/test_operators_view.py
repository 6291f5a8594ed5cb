"""Health, metrics and logs, as operators and probes see them."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO

import httpx
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from bridge.admin import api, server
from bridge.errors import ConfigurationError
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.instruments import INSTRUMENTS
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric
from tests.servers import ports


def asked(health: Health, metrics: Metrics, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(api.application(health, metrics))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_a_daemon_without_problems_is_ready() -> None:
    answer = asked(Health(), Metrics(), "/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "problems": {}, "alerts": {}, "lifecycle": {}},
    )


def test_a_daemon_with_a_problem_is_not_ready_and_says_why() -> None:
    health = Health()
    health.fails(Part.TEMPORAL, "no answer")
    answer = asked(health, Metrics(), "/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, {"temporal": "no answer"})


def test_a_daemon_with_a_problem_lives() -> None:
    health = Health()
    health.fails(Part.TEMPORAL, "no answer")
    assert asked(health, Metrics(), "/healthz").status_code == 200


def test_a_daemon_is_ready_again_once_all_parts_are_well() -> None:
    health = Health()
    health.fails(Part.TEMPORAL, "a")
    health.fails(Part.KAFKA, "b")
    health.works(Part.TEMPORAL)
    assert not health.ready
    health.works(Part.KAFKA)
    assert health.ready


def test_metrics_are_read_by_prometheus() -> None:
    metrics = Metrics()
    metrics.count(Metric.COMMANDS, "invoice.process", "accepted")
    metrics.count(Metric.COMMANDS, "invoice.process", "accepted")
    metrics.count(Metric.DEAD_LETTERS, 'a"\n\\', "invalid")
    metrics.gauge(Metric.WAITING, lambda: 7)
    answer = asked(Health(), metrics, "/metrics")
    assert answer.headers["content-type"] == api.METRICS_TYPE
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples == {
        ("bridge_commands_total", ("outcome", "accepted"), ("topic", "invoice.process")): 2,
        ("bridge_dead_letters_total", ("reason", "invalid"), ("topic", 'a"\n\\')): 1,
        ("bridge_waiting",): 7,
        ("messaging_client_consumed_messages_total", ("messaging_destination_name", "invoice.process")): 2,
    }


def test_every_metric_has_its_help() -> None:
    assert set(INSTRUMENTS) == set(Metric)


async def test_the_admin_address_is_listened_on_and_given_back() -> None:
    address = f"127.0.0.1:{ports.free()}"
    application = api.application(Health(), Metrics())
    for _ in range(2):
        async with server.serve(application, address, "BRIDGE_ADMIN_ADDRESS"), httpx.AsyncClient() as client:
            assert (await client.get(f"http://{address}/healthz")).json() == {"status": "alive"}


async def test_an_admin_address_that_is_taken_is_named() -> None:
    address = f"127.0.0.1:{ports.free()}"
    application = api.application(Health(), Metrics())
    async with server.serve(application, address, "BRIDGE_ADMIN_ADDRESS"):
        with pytest.raises(ConfigurationError, match=f"BRIDGE_ADMIN_ADDRESS: {address}"):
            async with server.serve(application, address, "BRIDGE_ADMIN_ADDRESS"):
                pass


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield root
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def work(payload: str) -> None:
    raise RuntimeError("crashed" if payload else "")


def crash(stream: StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """Log a crash while a payload is at hand; return what was written."""
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure()
    try:
        work("s3cret")
    except RuntimeError:
        structlog.stdlib.get_logger("test").exception(Log.COMMAND_CRASHED, offset=7)
    return stream.getvalue()


@pytest.mark.parametrize("stream", [StringIO(), Terminal()], ids=["file", "terminal"])
def test_a_logged_crash_shows_no_payload(
    stream: StringIO, monkeypatch: pytest.MonkeyPatch, root: logging.Logger
) -> None:
    assert "s3cret'" not in crash(stream, monkeypatch)


def test_a_log_line_is_one_json_object(monkeypatch: pytest.MonkeyPatch, root: logging.Logger) -> None:
    (line,) = crash(StringIO(), monkeypatch).splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["offset"]) == ("command crashed", "error", 7)
    assert "RuntimeError: crashed" in told["exception"]

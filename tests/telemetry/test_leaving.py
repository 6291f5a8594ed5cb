"""A process leaves well though nobody takes its metrics, and refuses settings of which nothing can be made."""

import asyncio

import pytest
from opentelemetry.sdk.resources import Resource

from bridge import errors
from bridge.telemetry import exporting
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.metricsexport import MetricsExport


async def test_a_collector_that_is_down_makes_no_crash_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    running = asyncio.create_task(MetricsExport(Metrics(), Resource({})).run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_queue_smaller_than_a_batch_is_told_as_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "256")
    with pytest.raises(errors.ConfigurationError, match="OTEL_BSP_"):
        async with exporting.spans("test"):
            pass

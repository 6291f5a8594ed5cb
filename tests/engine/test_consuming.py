"""The life of the consumer, where it cannot join its group: by a broker of FastStream's that the test gives."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from bridge import settings
from bridge.consuming import Consuming
from bridge.errors import ExitCode
from bridge.intake import subscription
from bridge.telemetry.health import Health, Part

WITHIN_SECONDS = 5.0


class Intake:
    """Notes that it is to stop."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True


def consuming(
    monkeypatch: pytest.MonkeyPatch, start: Callable[[], Awaitable[None]]
) -> tuple[Consuming, Intake, Health]:
    intake, health = Intake(), Health()
    monkeypatch.setattr(subscription, "broker", lambda *_: SimpleNamespace(start=start))
    monkeypatch.setattr(subscription, "subscriber", lambda *_: SimpleNamespace(consumer=None))
    made: Any = Consuming(settings.load({}), intake, health)  # type: ignore[arg-type]  # stands in
    return made, intake, health


async def test_who_is_asked_to_stop_before_the_group_has_let_it_join_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    joins = asyncio.Event()

    async def start() -> None:
        joins.set()
        await asyncio.Event().wait()

    made, intake, _ = consuming(monkeypatch, start)
    stop = asyncio.Event()
    async with asyncio.timeout(WITHIN_SECONDS):
        running = asyncio.create_task(made.run(stop))
        await joins.wait()
        stop.set()
        assert (await running, intake.stopped) == (ExitCode.DONE, True)


async def test_a_kafka_that_is_away_when_a_consumer_is_to_join_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, tries = asyncio.Event(), 0

    async def start() -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            stop.set()
        raise KafkaConnectionError("Unable to bootstrap")

    made, _, health = consuming(monkeypatch, start)
    async with asyncio.timeout(WITHIN_SECONDS):
        assert await made.run(stop) == ExitCode.DONE
    assert "Unable to bootstrap" in health.problems[Part.INTAKE]

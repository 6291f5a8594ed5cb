"""Long activities tell that they are alive."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from tests.workers import waiting
from workers import heartbeat


async def test_a_long_activity_beats_while_it_runs_and_no_longer() -> None:
    beats: list[None] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *_: beats.append(None)

    async def activity() -> int:
        async with heartbeat.beating(timedelta(milliseconds=1)):
            await waiting.until(lambda: len(beats) >= 3)
        return len(asyncio.all_tasks())

    tasks_before = len(asyncio.all_tasks())
    tasks_after = await environment.run(activity)
    assert tasks_after == tasks_before + 1  # the activity's own


async def test_an_error_of_the_activity_passes_as_it_is() -> None:
    async def activity() -> None:
        async with heartbeat.beating():
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await ActivityEnvironment().run(activity)

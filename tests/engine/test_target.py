"""How long a command waits for its target, whatever this machine's clock says."""

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from bridge.intake.target import LAST_LOOK, Targets, Wait
from tests.engine import records

BACKOFF = timedelta(hours=1)
HOUR = 3600.0


async def wait(waited: timedelta | None) -> Wait | None:
    async def is_read(*_: object) -> bool:
        return True

    backlog: Any = SimpleNamespace(is_read=is_read)
    found = records.command(records.record(headers=records.binary()))
    return await Targets(records.ROUTES, backlog).wait_for(found, TopicPartition("t", 0), (), BACKOFF, waited)


@pytest.mark.parametrize("ahead", [-HOUR, 0.0, HOUR], ids=["behind", "right", "ahead"])
async def test_a_record_that_came_while_we_were_there_waits_its_time_by_no_clock(
    monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    monkeypatch.setattr(time, "time", lambda: records.RECORDED_MS / 1000 + ahead)
    assert await wait(timedelta(seconds=59)) == Wait(timedelta(seconds=1) + LAST_LOOK)
    assert await wait(timedelta(seconds=60)) == Wait(LAST_LOOK, last=True)


async def test_a_record_that_was_there_before_us_waits_by_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: records.RECORDED_MS / 1000 + 59)
    assert await wait(None) == Wait(timedelta(seconds=1) + LAST_LOOK)

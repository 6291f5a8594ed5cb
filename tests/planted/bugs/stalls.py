"""Once, in the middle of the work, nothing is begun for a while."""

import asyncio
import itertools
from datetime import timedelta

from bridge.flow import Flow
from bridge.intake.item import Item, LaneKey
from bridge.intake.lanes import Lane
from tests.planted.planting import Planting

BEGUN_BEFORE = 300
STALL_SECONDS = 30.0


def plant(planting: Planting) -> None:
    work, numbers = Flow.work, itertools.count(1)
    open_again = asyncio.Event()
    open_again.set()

    async def stalling(self: Flow, lane: Lane[LaneKey, Item]) -> timedelta | None:
        if next(numbers) == BEGUN_BEFORE:
            planting.met()
            open_again.clear()
            asyncio.get_running_loop().call_later(STALL_SECONDS, open_again.set)
        await open_again.wait()
        return await work(self, lane)

    planting.replace(Flow, "work", stalling)

"""Twice as many commands are in flight as may be."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bridge.intake.lanes import Lane, Lanes
from tests.planted.planting import Planting

TIMES = 2


def plant(planting: Planting) -> None:
    begin = Lanes.__init__

    def begin_large(
        self: Lanes[Any, Any], work: Callable[[Lane[Any, Any]], Awaitable[timedelta | None]], workers: int
    ) -> None:
        planting.met()
        begin(self, work, workers * TIMES)

    planting.replace(Lanes, "__init__", begin_large)

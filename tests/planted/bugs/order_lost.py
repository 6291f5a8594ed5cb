"""Each record has a lane of its own, so that commands for one workflow run side by side."""

import itertools
from typing import Any

from bridge.intake.lanes import Lanes
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    put, numbers = Lanes.put, itertools.count()

    def put_apart(self: Lanes[Any, Any], key: Any, item: Any) -> None:
        planting.met()
        put(self, (key, next(numbers)), item)

    planting.replace(Lanes, "put", put_apart)

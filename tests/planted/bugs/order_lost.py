"""The newest command for a workflow goes before those that wait."""

from typing import Any

from bridge.intake.lanes import Lanes
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    put = Lanes.put

    def put_before(self: Lanes[Any, Any], key: Any, item: Any) -> None:
        put(self, key, item)
        items = self._lanes[key].items
        if len(items) > 2:  # the first is in hand, or next
            planting.met()
            items.insert(1, items.pop())

    planting.replace(Lanes, "put", put_before)

"""A record counts as done as soon as it is queued."""

from typing import Any

from bridge.intake.item import Item
from bridge.intake.lanes import Lanes
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    put, done = Lanes.put, Item.done

    def put_done(self: Lanes[Any, Any], key: Any, item: Any) -> None:
        planting.met()
        done(item)
        put(self, key, item)

    def done_already(self: Item) -> None:
        """It was done when it was queued."""

    planting.replace(Lanes, "put", put_done)
    planting.replace(Item, "done", done_already)

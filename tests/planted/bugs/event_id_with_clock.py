"""The id of a lifecycle event holds the time at which it is made."""

import time

from bridge.outcomes import lifecycle
from tests.planted.planting import Planting
from topics import ids
from topics.lifecycle import State


def plant(planting: Planting) -> None:
    def event_id(namespace: str, workflow_id: str, run_id: str, state: State) -> str:
        planting.met()
        return ids.text("lifecycle", namespace, workflow_id, run_id, state, str(time.time_ns()))

    planting.replace(lifecycle, "event_id", event_id)

"""Each try of a command has a request id of its own, as the SDK draws them."""

import dataclasses
import uuid

from bridge.command import Command
from bridge.dispatch import dispatcher
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Outcome
from tests.planted.planting import Planting


def plant(planting: Planting) -> None:
    dispatch = dispatcher.dispatch

    async def dispatched(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:
        planting.met()
        return await dispatch(temporal, dataclasses.replace(command, request_id=str(uuid.uuid4())), fresh=fresh)

    planting.replace(dispatcher, "dispatch", dispatched)

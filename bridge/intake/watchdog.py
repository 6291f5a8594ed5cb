"""Notices a consumer that is stuck: by its progress, as its tasks and its heartbeats look well then."""

import asyncio
import time
from datetime import timedelta

from aiokafka.errors import KafkaError

from bridge.errors import KafkaAwayError
from bridge.intake.intake import Intake

LOOK_EVERY = timedelta(seconds=2)
SUSPECT_AFTER = timedelta(seconds=6)  # with the time between two looks: readiness tells it within 10 s
STUCK_AFTER = timedelta(seconds=30)  # records are there, and none is taken
HUNG_AFTER = timedelta(seconds=120)  # not even a poll comes back; a rebalance may take a minute


async def stuck(intake: Intake, *, look_every: timedelta = LOOK_EVERY, after: timedelta = STUCK_AFTER) -> str:
    """Return, once the intake makes no progress although it could, what was seen; suspect it before."""
    polls = taken = -1
    polled = moved = time.monotonic()
    while True:
        now = time.monotonic()
        if intake.taking.broken is not None:
            return intake.taking.broken
        if intake.polls != polls:
            polls, polled = intake.polls, now
        if now - polled >= HUNG_AFTER.total_seconds():
            return f"no poll came back for {HUNG_AFTER.total_seconds():g} s"
        if intake.taking.count != taken or not await _is_behind(intake):
            taken, moved = intake.taking.count, now
        if now - moved >= after.total_seconds():
            return _none_taken(after)
        intake.readiness.suspect(_none_taken(SUSPECT_AFTER) if now - moved >= SUSPECT_AFTER.total_seconds() else None)
        await asyncio.sleep(look_every.total_seconds())


def _none_taken(span: timedelta) -> str:
    return f"records are there, and none was taken for {span.total_seconds():g} s"


async def _is_behind(intake: Intake) -> bool:
    try:
        return await intake.unread() > 0
    except (KafkaError, KafkaAwayError, TimeoutError):
        return False  # the broker is away, or the consumer is new: no fault of the consumer

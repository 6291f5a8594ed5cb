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
UNCOMMITTED_AFTER = timedelta(seconds=120)  # Kafka answers, and takes no commit of this consumer


async def stuck(
    intake: Intake,
    *,
    look_every: timedelta = LOOK_EVERY,
    after: timedelta = STUCK_AFTER,
    uncommitted_after: timedelta = UNCOMMITTED_AFTER,
) -> str:
    """Return, once the intake makes no progress although it could, what was seen; suspect it before."""
    polls = taken = -1
    polled = moved = unanswered = time.monotonic()
    while True:
        now = time.monotonic()
        if intake.taking.broken is not None:
            return intake.taking.broken
        if intake.polls != polls:
            polls, polled = intake.polls, now
        if now - polled >= HUNG_AFTER.total_seconds():
            return f"no poll came back for {HUNG_AFTER.total_seconds():g} s"
        unread = await _unread(intake)
        if unread is None:
            unanswered = now
        if intake.taking.count != taken or not unread:
            taken, moved = intake.taking.count, now
        if now - moved >= after.total_seconds():
            return _none_taken(after)
        if min(intake.committing.age_seconds, now - unanswered) >= uncommitted_after.total_seconds():
            return f"Kafka answers, and no commit succeeded for {uncommitted_after.total_seconds():g} s"
        intake.readiness.suspect(_none_taken(SUSPECT_AFTER) if now - moved >= SUSPECT_AFTER.total_seconds() else None)
        await asyncio.sleep(look_every.total_seconds())


def _none_taken(span: timedelta) -> str:
    return f"records are there, and none was taken for {span.total_seconds():g} s"


async def _unread(intake: Intake) -> int | None:
    """Return how many records wait at the broker; None where it is away or the consumer new: no fault of that."""
    try:
        return await intake.unread()
    except (KafkaError, KafkaAwayError, TimeoutError):
        return None

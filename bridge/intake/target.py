"""How long a command waits for a run that is not there yet."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from aiokafka import TopicPartition

from bridge.command import Command
from bridge.intake.backlog import Backlog
from bridge.routes import Routes

LOOK_AGAIN = timedelta(seconds=2)
LAST_LOOK = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after `span`; `last` tells that nothing can come any more after that look."""

    span: timedelta
    last: bool = False


@dataclass(frozen=True, slots=True)
class Targets:
    """Knows whether a start that a command waits for may still come."""

    routes: Routes
    backlog: Backlog

    async def wait_for(
        self,
        command: Command,
        partition: TopicPartition,
        behind: Iterable[object],
        backoff: timedelta,
        waited: timedelta | None = None,
    ) -> Wait | None:
        """Return how long to wait, or None where waiting is in vain; `behind` follows in the command's own lane.

        A start may come within the route's wait, and while the group has not read the topics that could hold it up to
        then: neither an outage nor a backlog makes a target missing. `waited` is how long a record that came while we
        were there has been tried; of others our clock tells by the record's time.
        """
        if any(isinstance(later, Command) and later.route.starts for later in behind):
            return None  # its start comes after it in its own partition: that one waits for this one
        until_ms = command.record.timestamp_ms + command.route.wait // timedelta(milliseconds=1)
        by_clock = timedelta(milliseconds=until_ms - time.time() * 1000)
        left = by_clock if waited is None else command.route.wait - waited
        if left > timedelta(0):
            return Wait(min(backoff, LOOK_AGAIN, left + LAST_LOOK))
        topics = self.routes.topics_that_start(command.workflow_id, command.route.namespace)
        if not await self.backlog.is_read(topics, until_ms, partition):
            return Wait(LOOK_AGAIN)
        return Wait(LAST_LOOK, last=True)  # a start may have taken effect since the last look

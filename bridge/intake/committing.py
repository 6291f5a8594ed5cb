"""When offsets are committed: what is done, once a second, and all of it at the end of an assignment."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer

from bridge.intake import care, expiry, offsets
from bridge.intake.assignment import Assignment
from bridge.intake.reader import Reader
from bridge.telemetry.names import Operation

Took: TypeAlias = Callable[[Operation, float], None]
"""Is told how many seconds an operation with Kafka took."""

INTERVAL = timedelta(seconds=1)


class Committing:
    """Commits for the assignment that is current when it begins."""

    def __init__(
        self,
        consumer: Callable[[], AIOKafkaConsumer],
        assignment: Callable[[], Assignment],
        reader: Reader,
        took: Took,
    ) -> None:
        """Take what gives the current ones; the reader knows whether the consumer's positions tell anything."""
        self._took = took
        self._consumer = consumer
        self._assignment = assignment
        self._reader = reader
        self._committed_at = time.monotonic()

    def begin(self) -> None:
        """Note that partitions were assigned: nothing of them is done yet."""
        self._committed_at = time.monotonic()

    @property
    def age_seconds(self) -> float:
        """Return how long ago all that was done was committed; 0 where no partition is held."""
        return time.monotonic() - self._committed_at if self._assignment().partitions else 0

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL.total_seconds())
            await self.commit()
            await expiry.look(self._consumer(), self._assignment())

    async def commit(self) -> None:
        """Commit what has moved, unless the partitions are given away meanwhile."""
        assignment = self._assignment()
        moved = assignment.to_commit(await self._reader.positions(self._consumer(), assignment))
        if moved and assignment is self._assignment():
            began = time.perf_counter()
            is_taken = await offsets.commit(self._consumer(), moved)
            self._took(Operation.COMMIT, time.perf_counter() - began)
            if is_taken:
                assignment.committed(moved)
                moved = {}
        if not moved:
            self._committed_at = time.monotonic()

    async def finish(self) -> None:
        """Commit before the partitions go, and say of records that were begun alone that nobody died of them."""
        noted = {tp: one.watermark for tp, one in self._assignment().partitions.items() if one.watermark.tries}
        for watermark in noted.values():
            care.end(watermark)
        await self.commit()
        # Of what nothing was taken, nothing is committed but that.
        untouched = {tp: (one.committable, one.metadata) for tp, one in noted.items() if one.position is None}
        if untouched:
            await offsets.commit(self._consumer(), untouched)

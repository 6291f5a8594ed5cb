"""The lifecycle feed: whoever owns it sweeps, the others stand by."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from aiokafka.errors import KafkaError

from bridge.errors import UnavailableError
from bridge.outcomes.announced import Announced
from bridge.outcomes.ownership import Ownership
from bridge.outcomes.patrol import Patrol
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

OVERLAP = timedelta(seconds=10)  # visibility lags; what it shows late lies inside
LONG_OVERLAP = timedelta(seconds=60)
LONG_OVERLAP_EVERY = timedelta(seconds=60)
AGAIN_SOON = timedelta(seconds=1)

log = logs.get(__name__)


class Feed:
    """Sends the patrol of each namespace every `interval` while this process is the owner."""

    def __init__(
        self,
        ownership: Ownership,
        announced: Announced,
        patrols: Sequence[Patrol],
        interval: timedelta,
        health: Health,
    ) -> None:
        self._ownership = ownership
        self._announced = announced
        self._patrols = patrols
        self._interval = interval
        self._health = health
        self._owner = False
        self._next = self._next_long = self._swept = 0.0  # by the monotonic clock

    def lag_seconds(self) -> float:
        """Return how long ago the last sweep was complete; 0 where another instance owns the feed."""
        return time.monotonic() - self._swept if self._owner and self._swept else 0.0

    async def run(self) -> None:
        """Take part until cancelled; what fails is tried again, as nothing that has closed is forgotten."""
        async with self._ownership:
            try:
                while True:
                    await self._turn()
            finally:
                await self._announced.close()

    async def _turn(self) -> None:
        try:
            if not await self._ownership.is_mine():
                await self._release()
                return
            if not self._owner:
                await self._take_over()
            if time.monotonic() >= self._next:
                await self._sweep_now()
            self._health.works(Part.FEED)
        except (KafkaError, UnavailableError, TimeoutError) as error:
            self._health.fails(Part.FEED, f"{type(error).__name__}: {error}")
            await self._ownership.resign()
            await self._release()
            await asyncio.sleep(AGAIN_SOON.total_seconds())

    async def _take_over(self) -> None:
        await self._announced.close()
        await self._announced.open(self._oldest_watermark_ms() - (LONG_OVERLAP + OVERLAP) // timedelta(milliseconds=1))
        self._owner = True
        self._next = self._next_long = 0.0
        log.info(Log.FEED_OWNED)

    async def _release(self) -> None:
        if self._owner:
            self._owner = False
            await self._announced.close()
            log.info(Log.FEED_RELEASED)

    async def _sweep_now(self) -> None:
        began = time.monotonic()
        long = began >= self._next_long
        began_ms = int(time.time() * 1000)
        waiting = False
        for patrol in self._patrols:
            waiting = await patrol.go(LONG_OVERLAP if long else OVERLAP, began_ms) or waiting
        self._announced.forget_before(self._oldest_watermark_ms())
        if long:
            self._next_long = began + LONG_OVERLAP_EVERY.total_seconds()
        self._swept = began
        self._next = began + (AGAIN_SOON if waiting else self._interval).total_seconds()

    def _oldest_watermark_ms(self) -> int:
        """Return the oldest watermark of the namespaces; nothing of one without was ever announced."""
        return min((found for patrol in self._patrols if (found := patrol.sweep.watermark_ms)), default=0)

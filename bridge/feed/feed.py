"""The lifecycle feed: whoever owns it sweeps, the others stand by."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from aiokafka.errors import KafkaError

from bridge.errors import TemporalAwayError, UnavailableError
from bridge.feed.announced import Announced
from bridge.feed.ownership import Ownership
from bridge.feed.patrol import Patrol
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

OVERLAP = timedelta(seconds=10)  # visibility lags; what it shows late lies inside
LONG_OVERLAP = timedelta(seconds=60)  # of an owner's first sweep; later a second look has the same effect
NEW_FEED = timedelta(hours=1)  # nothing was announced by a group that has no watermark, but what callbacks told
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
        for patrol in patrols:
            patrol.sweep.after_window = self._forget
        self._owner = self._first = False
        self._next = 0.0  # by the monotonic clock
        self._whole = 0.0  # likewise: when the last sweep began that left nothing, or the ownership

    def lag_seconds(self) -> float:
        """Return how far the feed is behind, also while it fails; 0 where another instance owns it."""
        if not self._whole:
            return 0.0
        return max(time.monotonic() - self._whole, *(patrol.untold_seconds() for patrol in self._patrols))

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
                self._whole = 0.0
                return
            if not self._owner:
                await self._take_over()
            if time.monotonic() >= self._next:
                await self._sweep_now()
            self._health.works(Part.FEED)
        except TemporalAwayError as error:  # nothing was begun that Kafka would have to forget
            await self._pause(error)
        except (KafkaError, UnavailableError, TimeoutError) as error:
            await self._give_up(error)
        except Exception as error:  # a defect of ours, which must not end the whole process
            log.exception(Log.FEED_CRASHED)
            await self._give_up(error)

    async def _give_up(self, error: Exception) -> None:
        await self._ownership.resign()
        await self._release()
        await self._pause(error)

    async def _pause(self, error: Exception) -> None:
        self._health.fails(Part.FEED, f"{type(error).__name__}: {error}")
        await asyncio.sleep(AGAIN_SOON.total_seconds())

    async def _take_over(self) -> None:
        self._whole = self._whole or time.monotonic()
        oldest_ms = self._oldest_watermark_ms() or int(time.time() * 1000) - _ms(NEW_FEED)
        await self._announced.close()
        await self._announced.open(oldest_ms - _ms(LONG_OVERLAP + OVERLAP))
        for patrol in self._patrols:
            await patrol.begin()
        self._owner = self._first = True
        self._next = 0.0
        log.info(Log.FEED_OWNED)

    async def _release(self) -> None:
        if self._owner:
            self._owner = False
            await self._announced.close()
            log.info(Log.FEED_RELEASED)

    async def _sweep_now(self) -> None:
        began = time.monotonic()
        began_ms = int(time.time() * 1000)
        soon = False
        for patrol in self._patrols:
            soon = await patrol.go(LONG_OVERLAP if self._first else OVERLAP, began_ms) or soon
        self._forget()
        self._first = False
        self._whole = began
        self._next = began + (AGAIN_SOON if soon else self._interval).total_seconds()

    def _forget(self) -> None:
        # By the namespace that is furthest behind: they share the memory.
        self._announced.forget_before(self._oldest_watermark_ms())

    def _oldest_watermark_ms(self) -> int:
        """Return the oldest watermark of the namespaces; nothing of one without was ever announced."""
        return min((found for patrol in self._patrols if (found := patrol.sweep.watermark_ms)), default=0)


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)

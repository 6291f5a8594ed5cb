"""The lifecycle feed: whoever owns it sweeps, the others stand by."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from aiokafka.errors import KafkaError

from bridge.errors import UnavailableError
from bridge.feed import clock
from bridge.feed.announced import Announced
from bridge.feed.beat import AGAIN_SOON, LONG_OVERLAP, OVERLAP, Beat
from bridge.feed.ownership import Ownership
from bridge.feed.patrol import Patrol
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

NEW_FEED = timedelta(hours=1)  # nothing was announced by a group that has no watermark, but what callbacks told

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
        self._announced.meanwhile = ownership.keep
        self._patrols = patrols
        self._beats = [Beat(patrol, interval) for patrol in patrols]
        self._health = health
        for patrol in patrols:
            patrol.sweep.after_window = self._forget
        self._owner = False

    def lag_seconds(self) -> float:
        """Return how far the feed is behind, also while it fails; 0 where another instance owns it."""
        return max((beat.lag_seconds for beat in self._beats), default=0.0)

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
            if await self._ownership.is_mine():
                if not self._owner:
                    await self._take_over()
                await self._sweep_now()
            else:
                await self._release()
            self._tell()
        except (KafkaError, UnavailableError, TimeoutError) as error:
            await self._give_up(error)
        except Exception as error:  # a defect of ours, which must not end the whole process
            log.exception(Log.FEED_CRASHED)
            await self._give_up(error)

    async def _give_up(self, error: Exception) -> None:
        await self._ownership.resign()
        self._step_down()  # what was read back is kept: the next turn goes on from there
        await self._pause(error)

    def _tell(self) -> None:
        problems = [beat.problem for beat in self._beats if beat.problem is not None]
        if problems:
            self._health.fails(Part.FEED, f"Temporal is away; {'; '.join(problems)}")
        else:
            self._health.works(Part.FEED)

    async def _pause(self, error: Exception) -> None:
        self._health.fails(Part.FEED, f"{type(error).__name__}: {error}")
        await asyncio.sleep(AGAIN_SOON.total_seconds())

    async def _take_over(self) -> None:
        for beat in self._beats:
            await beat.begin()
        if not self._announced.is_open:
            oldest_ms = self._oldest_watermark_ms() or clock.now_ms() - clock.ms(NEW_FEED)
            await self._announced.open(oldest_ms - clock.ms(LONG_OVERLAP + OVERLAP))
        self._owner = True
        log.info(Log.FEED_OWNED)

    async def _release(self) -> None:
        for beat in self._beats:
            beat.end()
        await self._announced.close()
        self._step_down()

    def _step_down(self) -> None:
        if self._owner:
            self._owner = False
            log.info(Log.FEED_RELEASED)

    async def _sweep_now(self) -> None:
        # Each of them, so no generator: it would stop at the first.
        if any([await beat.go() for beat in self._beats]):
            self._forget()

    def _forget(self) -> None:
        # By the namespace that is furthest behind: they share the memory.
        self._announced.forget_before(self._oldest_watermark_ms())

    def _oldest_watermark_ms(self) -> int:
        """Return the oldest watermark of the namespaces; nothing of one without was ever announced."""
        return min((found for patrol in self._patrols if (found := patrol.sweep.watermark_ms)), default=0)

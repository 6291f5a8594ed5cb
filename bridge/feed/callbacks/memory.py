"""What the lifecycle topics hold, followed all the time: in each process that callbacks come to."""

import asyncio
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from aiokafka.errors import KafkaError

from bridge.errors import KafkaAwayError
from bridge.feed import clock
from bridge.feed.announced import KEPT, Announced
from bridge.telemetry import logs
from bridge.telemetry.names import Log

AGAIN_AFTER = timedelta(seconds=1)
FORGET_EVERY = timedelta(seconds=10)

log = logs.get(__name__)


class Memory:
    """Event ids of the last two minutes."""

    def __init__(self, options: dict[str, Any], topics: Collection[str]) -> None:
        self._announced = Announced(options, topics)
        self._has_topics = bool(topics)
        self._reading = asyncio.Lock()
        self._news = asyncio.Event()
        self._opened_ms: int | None = None
        self._forget_at = 0.0

    def __contains__(self, event_id: str) -> bool:
        """Return whether the event is in its topic, as far as was read."""
        return event_id in self._announced

    @property
    def is_open(self) -> bool:
        """Whether the topics have been read up to their ends."""
        return self._opened_ms is not None

    @property
    def reaches_back_to_ms(self) -> int:
        """The time from which on all events are known. Raises `KafkaAwayError` before anything was read."""
        if self._opened_ms is None:
            raise KafkaAwayError("the lifecycle topics are not read yet")
        return max(self._opened_ms, clock.now_ms() - clock.ms(KEPT))

    def add(self, event_id: str, time_ms: int) -> None:
        """Note an event that this process has written."""
        self._announced.add(event_id, time_ms)

    async def run(self) -> None:
        """Follow the topics until cancelled; what fails begins anew."""
        try:
            while True:
                try:
                    await self._follow()
                except (KafkaError, TimeoutError) as error:
                    self._opened_ms = None
                    log.warning(Log.CALLBACKS_MEMORY_FAILED, error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(AGAIN_AFTER.total_seconds())
                except Exception as error:  # a record that the client cannot read: the sweep tells the ends
                    self._opened_ms = None
                    log.exception(Log.CALLBACKS_MEMORY_FAILED, error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(AGAIN_AFTER.total_seconds())
        finally:
            await self._announced.close()

    async def catch_up(self) -> None:
        """Read all that is there now; raises `KafkaError`, or `TimeoutError` where Kafka does not answer."""
        if self._opened_ms is None:
            raise KafkaAwayError("the lifecycle topics are not read yet")
        async with self._reading:
            await self._announced.catch_up()

    async def sees(self, event_id: str, within: timedelta) -> bool:
        """Wait until an event is in its topic; return whether it came within that time."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while event_id not in self:
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> None:
        await self._announced.close()
        opened_ms = clock.now_ms() - clock.ms(KEPT)
        await self._announced.open(opened_ms)
        await self._announced.catch_up()
        self._opened_ms = opened_ms
        if not self._has_topics:
            await asyncio.Event().wait()  # no route announces anything
        while True:
            async with self._reading:
                await self._announced.follow()
            news, self._news = self._news, asyncio.Event()
            news.set()
            if time.monotonic() >= self._forget_at:
                self._forget_at = time.monotonic() + FORGET_EVERY.total_seconds()
                self._announced.forget_before(clock.now_ms())

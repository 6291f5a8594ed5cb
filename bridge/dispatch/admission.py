"""How many commands may be with Temporal at once: a limit that falls when the server asks for it, and recovers.

Additive increase, multiplicative decrease, as TCP's congestion avoidance (RFC 5681, section 3.1).
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from bridge.dispatch.failures import KeyMustWaitError, OverloadedError
from bridge.errors import TemporalAwayError
from bridge.telemetry import logs
from bridge.telemetry.names import Log

LIMIT_MIN = 4
INCREASE = 4  # added to the limit once it has been filled by commands that went well
DECREASE_OVERLOADED = 0.7
DECREASE_SLOW = 0.9
DECREASE_TIMED_OUT = 0.5  # they time out together, so that each of these steps takes as long as a call may
DECREASE_EVERY = timedelta(milliseconds=500)  # what is under way was admitted under the old limit
SLOW_SECONDS = 0.5
SLOW_FACTOR = 10  # over the fastest answers
SMOOTHING = 0.05  # weight of the newest answer in the mean
TELL_EVERY = timedelta(minutes=1)

log = logs.get(__name__)

Result = TypeVar("Result")


class Admission:
    """Lets commands through, first come first served; `limit` is between 4 and `most`."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(most)
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._decreased = self._told = float("-inf")
        self._fastest = self._mean = 0.0
        self.limit = float(most)
        self.in_use = 0

    @property
    def mean_seconds(self) -> float:
        """How long Temporal's newest answers took in the mean; 0 while there is none."""
        return self._mean

    async def run(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Wait for a place, make the call, and learn from how it went."""
        if self.in_use < self.limit and not self._waiting:
            self.in_use += 1
        else:
            await self._turn()
        began = self._clock()
        try:
            result = await call()
        except OverloadedError as error:
            self._decrease(DECREASE_OVERLOADED)
            self._tell(error)
            raise
        except KeyMustWaitError:
            raise  # that one key waits for a worker or a run; it says nothing of the server
        except TemporalAwayError:
            self._learn_of_failure(self._clock() - began)
            raise
        else:
            self._learn(self._clock() - began)
            return result
        finally:
            self.in_use -= 1
            if self._waiting:
                self._admit()

    async def _turn(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # admitted and cancelled at once: the place goes on
                self.in_use -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and self.in_use < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self.in_use += 1
                place.set_result(None)

    def _learn(self, seconds: float) -> None:
        self._fastest = min(self._fastest, seconds) if self._fastest else seconds
        self._mean += SMOOTHING * (seconds - self._mean)
        if self._mean > SLOW_SECONDS and self._mean > SLOW_FACTOR * self._fastest:
            self._decrease(DECREASE_SLOW)
        elif self.limit < self._most:
            self.limit = min(self._most, self.limit + INCREASE / self.limit)

    def _learn_of_failure(self, seconds: float) -> None:
        """Take what failed only after a long time for the slowest answer of all: what is asked at once is too much.

        Else a server that is too slow for the calls' time limit would be kept busy with calls that nobody waits for.
        """
        if seconds > SLOW_SECONDS:
            self._decrease(DECREASE_TIMED_OUT)

    def _decrease(self, factor: float) -> None:
        now = self._clock()
        if now - self._decreased >= DECREASE_EVERY.total_seconds():
            self._decreased = now
            self.limit = max(min(LIMIT_MIN, self._most), self.limit * factor)

    def _tell(self, error: OverloadedError) -> None:
        now = self._clock()
        if now - self._told >= TELL_EVERY.total_seconds():
            self._told = now
            log.warning(Log.TEMPORAL_OVERLOADED, problem=str(error), at_once_now=int(self.limit))

"""When the patrol of a namespace is due, and how long ago it left nothing."""

import time
from datetime import timedelta

from bridge.errors import TemporalAwayError
from bridge.feed import clock
from bridge.feed.patrol import Patrol

OVERLAP = timedelta(seconds=10)  # visibility lags; what it shows late lies inside
LONG_OVERLAP = timedelta(seconds=60)  # of an owner's first sweep; later a second look has the same effect
AGAIN_SOON = timedelta(seconds=1)
LEFT_ALONE_MAX = timedelta(seconds=30)


class Beat:
    """Walks one patrol every `interval`, each namespace by itself: one that does not answer leaves the others be."""

    def __init__(self, patrol: Patrol, interval: timedelta) -> None:
        self.patrol = patrol
        self._interval = interval
        self._is_first = True
        self._next = 0.0  # by the monotonic clock
        self._whole = 0.0  # likewise: when the last round began that left nothing, or the ownership
        self.problem: str | None = None

    @property
    def lag_seconds(self) -> float:
        """How far the namespace is behind, also while it fails; 0 where another instance owns the feed."""
        return max(time.monotonic() - self._whole, self.patrol.untold_seconds()) if self._whole else 0.0

    async def begin(self) -> None:
        """Note that this process has become the owner of the feed, perhaps again."""
        self._whole = self._whole or time.monotonic()
        self._is_first, self._next, self.problem = True, 0.0, None
        await self.patrol.begin()

    def end(self) -> None:
        """Note that another process is the owner."""
        self._whole, self.problem = 0.0, None

    async def go(self) -> bool:
        """Walk if it is time, and return whether it was; notes a problem where Temporal is away, raises the others."""
        began = time.monotonic()
        if began < self._next:
            return False
        try:
            soon = await self.patrol.go(LONG_OVERLAP if self._is_first else OVERLAP, clock.now_ms())
        except TemporalAwayError as error:
            self.problem = f"{self.patrol.sweep.namespace}: {error}"
            # After as long as it took: what does not answer holds up the others half of the time at most. A process
            # that stood still meanwhile (a frozen container, a paused machine) must not stand by for as long again.
            now = time.monotonic()
            took = min(now - began, LEFT_ALONE_MAX.total_seconds())
            self._next = now + max(AGAIN_SOON.total_seconds(), took)
            return True
        self._is_first, self._whole, self.problem = False, began, None
        self._next = began + (AGAIN_SOON if soon else self._interval).total_seconds()
        return True

"""The rate of a route: a bucket of tokens that is refilled evenly, so that a burst is a tenth of a second's worth."""

import time
from collections.abc import Callable
from datetime import timedelta

from bridge.routes import Route

BURST = timedelta(seconds=0.1)


class Rates:
    """Hands out when each command of a route with a rate may go; a turn that was given is kept."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._holder: object = None
        self._next: dict[str, float] = {}  # by command: when its bucket is full again, less what is spent

    def turn(self, route: Route, holder: object) -> timedelta:
        """Take the next turn of a route, and return how long it is until then; zero where it is now.

        `holder` is what the command came with: with another one, the turns of those before, who are gone, are free.
        """
        if route.rate is None:
            return timedelta(0)
        if holder is not self._holder:
            self._holder = holder
            self._next.clear()
        now = self._now()
        span = 1 / route.rate
        turn = max(self._next.get(route.command, 0.0), now - max(BURST.total_seconds() - span, 0.0))
        self._next[route.command] = turn + span
        return timedelta(seconds=max(turn - now, 0.0))

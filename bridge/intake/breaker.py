"""Stops a topic whose records are all bad, before the topic turns into its dead-letter topic."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

BAD_IN_A_ROW_MAX = 100
PAUSE_FIRST = timedelta(seconds=30)
PAUSE_MAX = timedelta(minutes=10)


@dataclass(slots=True)
class _Topic:
    in_a_row: int = 0
    opened: int = 0
    until: float = float("-inf")


class Breaker:
    """Counts bad records in a row by topic. After 100 the topic stops for 30 s, then for twice as long each time.

    After each pause another 100 may pass; one sound record ends it all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._topics: dict[str, _Topic] = {}

    def sound(self, topic: str) -> None:
        """Note a record that could be carried out."""
        self._topics.pop(topic, None)

    def bad(self, topic: str) -> bool:
        """Note a record for the dead-letter topic; return whether the topic stops now."""
        state = self._topics.setdefault(topic, _Topic())
        state.in_a_row += 1
        if state.in_a_row < BAD_IN_A_ROW_MAX or self.remaining(topic):
            return False
        pause = min(PAUSE_FIRST * 2**state.opened, PAUSE_MAX)
        state.in_a_row, state.opened, state.until = 0, min(state.opened + 1, 16), self._clock() + pause.total_seconds()
        return True

    def remaining(self, topic: str) -> timedelta:
        """Return how long the topic stays stopped; nothing while it is not."""
        state = self._topics.get(topic)
        left = state.until - self._clock() if state is not None else 0.0
        return timedelta(seconds=left) if left > 0 else timedelta(0)

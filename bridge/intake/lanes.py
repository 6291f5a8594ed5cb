"""Lanes: one queue a key, worked off in order, side by side, by a fixed number of workers.

No task a record. A lane whose first item must wait is parked, and holds no worker and no other lane.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


@dataclass(slots=True)
class Lane(Generic[Key, Item]):
    """The items of one key that are not done; the first one is in hand, parked or next."""

    key: Key
    items: deque[Item] = field(default_factory=deque)
    attempts: int = 0
    timer: asyncio.TimerHandle | None = None
    in_hand: bool = False
    dropped: bool = False


class Lanes(Generic[Key, Item]):
    """All lanes. `work(lane)` handles the first item: None means done, a time means try again after it."""

    def __init__(self, work: Callable[[Lane[Key, Item]], Awaitable[timedelta | None]], workers: int) -> None:
        self._work = work
        self._workers = workers
        self._lanes: dict[Key, Lane[Key, Item]] = {}
        self._ready: asyncio.Queue[Lane[Key, Item]] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self.in_hand = 0
        self.waiting = 0

    def put(self, key: Key, item: Item) -> None:
        """Add an item behind those of its key."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
            self._ready.put_nowait(lane)
        lane.items.append(item)
        self.waiting += 1

    def drop(self, unwanted: Callable[[Key], bool]) -> None:
        """Forget what is not begun of the unwanted keys; what is in hand is finished."""
        for lane in [lane for key, lane in self._lanes.items() if unwanted(key)]:
            lane.dropped = True
            kept = 1 if lane.in_hand else 0
            self.waiting -= len(lane.items) - kept
            while len(lane.items) > kept:
                lane.items.pop()
            if not lane.in_hand:
                self._close(lane)

    async def idle(self) -> None:
        """Return once no worker has an item in hand."""
        await self._idle.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._worker(), name=f"lane-worker-{number}")

    async def _worker(self) -> None:
        while True:
            lane = await self._ready.get()
            if not lane.items:
                continue  # dropped while it was ready
            self.in_hand += 1
            self._idle.clear()
            lane.in_hand = True
            try:
                again_after = await self._work(lane)
            finally:
                lane.in_hand = False
                self.in_hand -= 1
                if self.in_hand == 0:
                    self._idle.set()
            self._advance(lane, again_after)

    def _advance(self, lane: Lane[Key, Item], again_after: timedelta | None) -> None:
        if again_after is None or lane.dropped:
            lane.items.popleft()
            self.waiting -= 1
            lane.attempts, lane.dropped, again_after = 0, False, None
        else:
            lane.attempts += 1
        if not lane.items:
            self._close(lane)
        elif again_after is None:
            self._ready.put_nowait(lane)
        else:
            seconds = again_after.total_seconds()
            lane.timer = asyncio.get_running_loop().call_later(seconds, self._ready.put_nowait, lane)

    def _close(self, lane: Lane[Key, Item]) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
        if self._lanes.get(lane.key) is lane:
            del self._lanes[lane.key]

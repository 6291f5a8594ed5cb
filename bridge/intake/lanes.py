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
    kept: bool = False


class Lanes(Generic[Key, Item]):
    """All lanes. `work(lane)` handles the first item: None means done, a time means try again after it."""

    def __init__(self, work: Callable[[Lane[Key, Item]], Awaitable[timedelta | None]], workers: int) -> None:
        self._work = work
        self._workers = workers
        self._lanes: dict[Key, Lane[Key, Item]] = {}
        self._ready: deque[Lane[Key, Item]] = deque()
        self._sleeping: deque[asyncio.Future[None]] = deque()  # of workers that have nothing to do
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._keep: Callable[[Item], bool] = lambda _: False
        self._kept = 0
        self.in_hand = 0
        self.waiting = 0

    def put(self, key: Key, item: Item) -> None:
        """Add an item behind those of its key."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
            self._enqueue(lane)
        lane.items.append(item)
        self.waiting += 1

    def drop(self, keep: Callable[[Item], bool] = lambda _: False) -> None:
        """Forget all that is not begun; what is in hand is finished, and what was begun and is to be kept as well."""
        self._keep = keep
        for lane in list(self._lanes.values()):
            lane.dropped = True
            if not lane.in_hand:
                self._set_kept(lane, kept=keep(lane.items[0]))
            staying = 1 if lane.in_hand or lane.kept else 0
            while len(lane.items) > staying:
                lane.items.pop()
                self.waiting -= 1
            if not lane.items:
                self._close(lane)

    def all(self) -> list[Lane[Key, Item]]:
        """Return every lane that has items."""
        return list(self._lanes.values())

    @property
    def count(self) -> int:
        """Return how many keys have items."""
        return len(self._lanes)

    @property
    def depth(self) -> int:
        """Return how many items the key has that has most of them."""
        return max((len(lane.items) for lane in self._lanes.values()), default=0)

    @property
    def is_calm(self) -> bool:
        """Return whether all that is in the lanes waits for another try."""
        return not self.in_hand and not self._ready

    async def wanted(self) -> None:
        """Return once fewer lanes are ready than there are workers: more items are of use then."""
        await self._wanted.wait()

    async def idle(self) -> None:
        """Return once no worker has an item in hand, and none that was kept is left."""
        await self._idle.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._worker(), name=f"lane-worker-{number}")

    def _enqueue(self, lane: Lane[Key, Item]) -> None:
        self._ready.append(lane)
        if len(self._ready) == self._workers:
            self._wanted.clear()
        while self._sleeping:
            sleeping = self._sleeping.popleft()
            if not sleeping.done():
                sleeping.set_result(None)
                break

    async def _worker(self) -> None:
        while True:
            while not self._ready:
                sleeping = asyncio.get_running_loop().create_future()
                self._sleeping.append(sleeping)
                await sleeping
            lane = self._ready.popleft()
            if len(self._ready) == self._workers - 1:
                self._wanted.set()
            if not lane.items:
                continue  # dropped while it was ready
            self._begin(lane)
            try:
                again_after = await self._work(lane)
            finally:
                lane.in_hand = False
                self.in_hand -= 1
            self._advance(lane, again_after)
            if not self.in_hand:
                self._note_idle()

    def _begin(self, lane: Lane[Key, Item]) -> None:
        lane.in_hand = True
        self.in_hand += 1
        if self.in_hand == 1:
            self._note_idle()
        if lane.kept:
            self._set_kept(lane, kept=False)

    def _advance(self, lane: Lane[Key, Item], again_after: timedelta | None) -> None:
        if lane.dropped and again_after is not None and self._keep(lane.items[0]):
            self._set_kept(lane, kept=True)
        elif lane.dropped:
            again_after = None
        if again_after is None:
            lane.items.popleft()
            self.waiting -= 1
            lane.attempts, lane.dropped = 0, False
        else:
            lane.attempts += 1
        if not lane.items:
            self._close(lane)
        elif again_after is None:
            self._enqueue(lane)
        else:
            lane.timer = asyncio.get_running_loop().call_later(again_after.total_seconds(), self._enqueue, lane)

    def _set_kept(self, lane: Lane[Key, Item], *, kept: bool) -> None:
        self._kept += kept - lane.kept
        lane.kept = kept
        self._note_idle()

    def _note_idle(self) -> None:
        if self.in_hand or self._kept:
            self._idle.clear()
        else:
            self._idle.set()

    def _close(self, lane: Lane[Key, Item]) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
        if self._lanes.get(lane.key) is lane:
            del self._lanes[lane.key]

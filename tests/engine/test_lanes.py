"""Order within a key, keys side by side, parked lanes, and what is dropped: on a real event loop, without sleeping."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.intake.lanes import Lane, Lanes

SOON = timedelta(microseconds=1)
LATER = timedelta(hours=1)


class Work:
    """Writes down what it is given; a test says what comes of each item and which ones are held."""

    def __init__(self, workers: int = 4) -> None:
        self.lanes: Lanes[str, int] = Lanes(self._work, workers)
        self.done: dict[str, list[int]] = defaultdict(list)
        self.begun: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self.gates: dict[str, asyncio.Event] = {}
        self.again: dict[tuple[str, int], list[timedelta]] = {}
        self.most = 0

    async def _work(self, lane: Lane[str, int]) -> timedelta | None:
        item = lane.items[0]
        self.most = max(self.most, self.lanes.in_hand)
        self.begun.put_nowait((lane.key, item))
        if lane.key in self.gates:
            await self.gates[lane.key].wait()
        if waits := self.again.get((lane.key, item)):
            return waits.pop()
        self.done[lane.key].append(item)
        return None

    def hold(self, key: str) -> asyncio.Event:
        self.gates[key] = asyncio.Event()
        return self.gates[key]

    async def settled(self) -> None:
        """Wait until nothing waits."""
        async with asyncio.timeout(10):
            while self.lanes.waiting:  # noqa: ASYNC110 - the lanes tell nobody
                await asyncio.sleep(0)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.lanes.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})


items = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=30)


@settings(deadline=None)
@given(items=items, workers=st.integers(1, 5))
def test_items_of_a_key_are_done_in_order_whatever_is_retried(items: list[tuple[str, int]], workers: int) -> None:
    async def scenario() -> dict[str, list[int]]:
        work = Work(workers)
        async with work.running():
            for number, (key, retries) in enumerate(items):
                work.again[key, number] = [SOON] * retries
                work.lanes.put(key, number)
            await work.settled()
        assert (work.lanes.in_hand, work.lanes.waiting, work.lanes._lanes) == (0, 0, {})
        return work.done

    expected: dict[str, list[int]] = defaultdict(list)
    for number, (key, _) in enumerate(items):
        expected[key].append(number)
    assert asyncio.run(scenario()) == expected


async def test_keys_are_worked_on_side_by_side() -> None:
    work = Work(workers=3)
    async with work.running():
        gates = [work.hold(key) for key in "abc"]
        for key in "abc":
            work.lanes.put(key, 1)
        assert {(await work.begun.get())[0] for _ in "abc"} == {"a", "b", "c"}
        for gate in gates:
            gate.set()
        await work.settled()
    assert work.most == 3


async def test_no_more_keys_are_in_hand_than_there_are_workers() -> None:
    work = Work(workers=3)
    async with work.running():
        for key in "abcdefgh":
            work.hold(key)
            work.lanes.put(key, 0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert (work.most, work.begun.qsize()) == (3, 3)


async def test_one_key_is_in_one_workers_hands_at_a_time() -> None:
    work = Work(workers=3)
    async with work.running():
        gate = work.hold("a")
        for number in range(3):
            work.lanes.put("a", number)
        await work.begun.get()
        assert work.lanes.in_hand == 1
        gate.set()
        await work.settled()
    assert work.most == 1


async def test_a_parked_lane_holds_no_worker_and_no_other_lane() -> None:
    work = Work(workers=1)
    work.again["a", 1] = [LATER]
    async with work.running():
        work.lanes.put("a", 1)
        await work.begun.get()
        work.lanes.put("a", 2)
        work.lanes.put("b", 3)
        assert await work.begun.get() == ("b", 3)
        await work.lanes.idle()
        assert (work.lanes.waiting, work.done) == (2, {"b": [3]})
        work.lanes.drop()


async def test_a_retry_counts_up_and_the_next_item_begins_anew() -> None:
    attempts: list[tuple[int, int]] = []

    async def count(lane: Lane[str, int]) -> timedelta | None:
        attempts.append((lane.items[0], lane.attempts))
        return SOON if lane.items[0] == 1 and lane.attempts < 2 else None

    lanes: Lanes[str, int] = Lanes(count, 1)
    running = asyncio.create_task(lanes.run())
    lanes.put("a", 1)
    lanes.put("a", 2)
    async with asyncio.timeout(10):
        while lanes.waiting:  # noqa: ASYNC110 - the lanes tell nobody
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert attempts == [(1, 0), (1, 1), (1, 2), (2, 0)]


async def test_what_is_in_hand_is_finished_when_the_rest_is_dropped() -> None:
    work = Work()
    async with work.running():
        gate = work.hold("a")
        work.lanes.put("a", 1)
        await work.begun.get()
        work.lanes.put("a", 2)
        work.lanes.put("b", 3)
        work.lanes.drop()
        assert work.lanes.waiting == 1
        gate.set()
        await work.lanes.idle()
        await work.settled()
    assert work.done == {"a": [1]}


async def test_a_dropped_item_in_hand_is_not_tried_again() -> None:
    work = Work()
    work.again["a", 1] = [SOON]
    async with work.running():
        gate = work.hold("a")
        work.lanes.put("a", 1)
        await work.begun.get()
        work.lanes.drop()
        gate.set()
        await work.settled()
    assert (work.begun.qsize(), work.done) == (0, {})


async def test_what_is_put_after_a_drop_waits_for_what_is_in_hand() -> None:
    work = Work()
    async with work.running():
        gate = work.hold("a")
        work.lanes.put("a", 1)
        await work.begun.get()
        work.lanes.drop()
        work.lanes.put("a", 2)
        await asyncio.sleep(0)
        assert work.begun.empty()
        gate.set()
        await work.settled()
    assert work.done == {"a": [1, 2]}


async def test_a_dropped_parked_lane_leaves_no_timer() -> None:
    work = Work(workers=1)
    work.again["a", 1] = [LATER]
    async with work.running():
        work.lanes.put("a", 1)
        await work.begun.get()
        await work.lanes.idle()
        (lane,) = work.lanes._lanes.values()
        assert lane.timer is not None
        work.lanes.drop()
        assert lane.timer.cancelled()
        work.lanes.put("a", 2)
        await work.settled()
    assert work.done == {"a": [2]}


async def test_what_was_begun_and_is_to_be_kept_is_tried_until_it_is_done() -> None:
    work = Work(workers=1)
    work.again["a", 1] = [SOON, SOON]
    async with work.running():
        gate = work.hold("a")
        work.lanes.put("a", 1)
        await work.begun.get()
        work.lanes.put("a", 2)
        work.lanes.put("b", 3)
        work.lanes.drop(keep=lambda item: item == 1)
        gate.set()
        async with asyncio.timeout(10):
            await work.lanes.idle()
    assert (work.done, work.lanes.waiting) == ({"a": [1]}, 0)


async def test_a_parked_item_that_is_to_be_kept_holds_idle_back() -> None:
    work = Work(workers=1)
    work.again["a", 1] = [LATER]
    async with work.running():
        work.lanes.put("a", 1)
        await work.begun.get()
        await work.lanes.idle()
        work.lanes.drop(keep=lambda _: True)
        assert not work.lanes._idle.is_set()
        work.lanes.drop()
        await work.lanes.idle()


async def test_idle_comes_at_once_where_nothing_is_in_hand() -> None:
    work = Work()
    work.lanes.put("a", 1)
    async with asyncio.timeout(1):
        await work.lanes.idle()
    work.lanes.drop()


async def test_more_is_wanted_while_fewer_lanes_are_ready_than_there_are_workers() -> None:
    work = Work(workers=2)
    gates = [work.hold(key) for key in "abcd"]
    for key in "abcd":
        work.lanes.put(key, 0)
    async with work.running():
        wanted = asyncio.create_task(work.lanes.wanted())
        for _ in range(2):
            await work.begun.get()
        await asyncio.sleep(0)
        assert not wanted.done()  # two are in hand, two are ready
        gates[0].set()
        await work.begun.get()
        await wanted
        for gate in gates:
            gate.set()
        await work.settled()

"""One round of the feed over several namespaces, of which one does not answer."""

import time
import types
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from bridge.errors import TemporalAwayError
from bridge.feed.announced import Announced
from bridge.feed.beat import LONG_OVERLAP, OVERLAP
from bridge.feed.feed import Feed
from bridge.feed.ownership import Ownership
from bridge.feed.patrol import Patrol
from bridge.telemetry.health import Health, Part


class Land:
    """Stands for the patrol of a namespace."""

    def __init__(self, name: str) -> None:
        self.sweep = self
        self.namespace = name
        self.watermark_ms = 0
        self.after_window: Callable[[], None] = lambda: None
        self.is_away = False
        self.overlaps: list[timedelta] = []

    async def begin(self) -> None: ...

    async def go(self, overlap: timedelta, _: int) -> bool:
        self.overlaps.append(overlap)
        if self.is_away:
            raise TemporalAwayError("UNAVAILABLE")
        return False

    def untold_seconds(self) -> float:
        return 0.0


class Owned(Ownership):
    """Is always the owner, but where Kafka is away."""

    def __init__(self) -> None:
        super().__init__({}, "g")
        self.mine: bool | None = True

    async def is_mine(self) -> bool:
        if self.mine is None:
            raise TimeoutError("Kafka is away")
        return self.mine


class Round:
    """A feed of three namespaces, swept as often as its turns come."""

    def __init__(self) -> None:
        self.lands = [Land("a"), Land("b"), Land("c")]
        self.health, self.ownership = Health(), Owned()
        self.announced = Announced({}, [])
        self.feed = Feed(self.ownership, self.announced, cast("list[Patrol]", self.lands), timedelta(), self.health)

    async def turn(self) -> None:
        await self.feed._turn()


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Round:
    monkeypatch.setattr("bridge.feed.feed.AGAIN_SOON", timedelta())
    monkeypatch.setattr("bridge.feed.beat.AGAIN_SOON", timedelta())
    return Round()


async def test_a_namespace_that_does_not_answer_holds_up_no_other(feed: Round) -> None:
    feed.lands[1].is_away = True
    await feed.turn()
    assert [len(land.overlaps) for land in feed.lands] == [1, 1, 1]
    assert feed.health.problems == {Part.FEED: "Temporal is away; b: UNAVAILABLE"}


async def test_each_namespace_is_swept_far_back_until_its_own_first_sweep_is_done(feed: Round) -> None:
    a, b, _ = feed.lands
    b.is_away = True
    await feed.turn()
    feed.feed._beats[1]._next = 0
    b.is_away = False
    await feed.turn()
    await feed.turn()
    assert a.overlaps == [LONG_OVERLAP, OVERLAP, OVERLAP]
    assert b.overlaps == [LONG_OVERLAP, LONG_OVERLAP, OVERLAP]


async def test_the_feed_is_well_once_the_last_namespace_answers(feed: Round) -> None:
    feed.lands[1].is_away = feed.lands[2].is_away = True
    await feed.turn()
    assert feed.health.problems == {Part.FEED: "Temporal is away; b: UNAVAILABLE; c: UNAVAILABLE"}
    for beat in feed.feed._beats:
        beat._next = 0
    feed.lands[1].is_away = feed.lands[2].is_away = False
    await feed.turn()
    assert feed.health.problems == {}


async def test_the_lag_is_that_of_the_namespace_that_is_furthest_behind(feed: Round) -> None:
    feed.lands[1].is_away = True
    await feed.turn()
    feed.feed._beats[1]._whole = time.monotonic() - 100
    await feed.turn()
    assert 100 <= feed.feed.lag_seconds() < 130


@pytest.mark.parametrize(("took", "left_alone"), [(10, 10), (8 * 3600, 30)])
async def test_what_does_not_answer_is_left_alone_as_long_as_it_took_but_no_longer_than_half_a_minute(
    monkeypatch: pytest.MonkeyPatch, took: float, left_alone: float
) -> None:
    feed, now = Round(), 1000.0
    clock = types.SimpleNamespace(monotonic=lambda: now, time=time.time)
    monkeypatch.setattr("bridge.feed.beat.time", clock)

    async def slow(*_: Any) -> bool:
        nonlocal now
        now += took
        raise TemporalAwayError("DEADLINE_EXCEEDED")

    monkeypatch.setattr(feed.lands[1], "go", slow)
    await feed.turn()
    assert feed.feed._beats[1]._next == now + left_alone


async def test_who_stands_by_after_a_failure_is_well_again(feed: Round) -> None:
    feed.ownership.mine = None
    await feed.turn()
    assert feed.health.problems == {Part.FEED: "TimeoutError: Kafka is away"}
    feed.ownership.mine = False
    await feed.turn()
    assert feed.health.problems == {}


async def test_what_was_read_back_is_kept_while_kafka_fails_and_forgotten_where_another_owns_the_feed(
    feed: Round,
) -> None:
    await feed.turn()
    feed.announced.add("e-1", int(time.time() * 1000))
    feed.ownership.mine = None
    await feed.turn()
    assert "e-1" in feed.announced
    feed.ownership.mine = False
    await feed.turn()
    assert "e-1" not in feed.announced

"""Who owns the feed, on real servers: one process at a time, and another one soon after it is gone."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator

import pytest

from bridge.errors import TemporalAwayError
from bridge.feed.feed import Feed
from bridge.feed.ownership import Ownership
from bridge.feed.patrol import Patrol
from bridge.telemetry.health import Health, Part
from tests.engine import feed_process
from tests.engine.feed_side import Sweeper, events, states
from tests.engine.temporal_side import COMPLETED, Stage
from tests.servers.fixtures import Kafka, Temporal

TAKEOVER_SECONDS = 30.0


@contextlib.asynccontextmanager
async def other_process(kafka: Kafka, prepared: Temporal, feed: Stage) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a feed in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.engine.feed_process",
        kafka.bootstrap,
        prepared.address,
        feed.group,
        feed.lifecycle,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def standing_by(kafka: Kafka, feed: Stage) -> AsyncIterator[Feed]:
    """Run a feed beside it, in this process."""
    here = feed_process.feed(kafka.bootstrap, feed.client, feed.group, feed.lifecycle)
    running = asyncio.create_task(here.run())
    try:
        yield here
    finally:
        running.cancel()
        await asyncio.wait({running})


async def announced(kafka: Kafka, feed: Stage, count: int) -> list[tuple[str, str]]:
    """Wait until so many events are there."""
    async with asyncio.timeout(TAKEOVER_SECONDS):
        while len(found := await events(kafka, feed)) < count:  # noqa: ASYNC110 - the topic tells nobody
            await asyncio.sleep(0.1)
    return states([data for _, data in found])


async def test_another_process_announces_what_ends_within_30_s_after_the_owner_was_killed(
    kafka: Kafka, prepared: Temporal, feed: Stage
) -> None:
    first, second = await feed.begin(), feed.sibling()
    second_run = await second.begin()
    async with other_process(kafka, prepared, feed) as owner:
        await feed.work(COMPLETED)
        assert await announced(kafka, feed, 1) == [(first, "completed")]
        async with standing_by(kafka, feed):
            owner.kill()
            killed = time.monotonic()
            await second.work(COMPLETED)
            assert await announced(kafka, feed, 2) == [(first, "completed"), (second_run, "completed")]
            assert time.monotonic() - killed < TAKEOVER_SECONDS


async def test_the_lag_grows_while_the_feed_fails_and_is_none_where_another_owns_it(kafka: Kafka, feed: Stage) -> None:
    async with Sweeper(kafka, feed).owning() as sweeper:
        owned = Owned()
        feeding = Feed(owned, sweeper.announced, [sweeper.patrol], feed_process.INTERVAL, health := Health())
        await feeding._turn()
        began = feeding._beats[0]._whole
        assert 0 < feeding.lag_seconds() < TAKEOVER_SECONDS
        owned.fails = True
        await feeding._turn()
        assert health.problems.keys() == {Part.FEED}
        assert feeding._beats[0]._whole == began
        assert feeding.lag_seconds() >= 1  # the pause after a failure
        owned.fails, owned.mine = False, False
        await feeding._turn()
        assert feeding.lag_seconds() == 0


async def test_the_owner_stays_the_owner_while_temporal_is_away(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sweeper(kafka, feed).owning() as sweeper:
        feeding = Feed(Owned(), sweeper.announced, [sweeper.patrol], feed_process.INTERVAL, health := Health())
        await feeding._turn()

        async def away(*_: object) -> bool:
            raise TemporalAwayError("UNAVAILABLE")

        with monkeypatch.context() as temporal:
            temporal.setattr(Patrol, "go", away)
            feeding._beats[0]._next = 0
            await feeding._turn()
            assert health.problems == {Part.FEED: "Temporal is away; default: UNAVAILABLE"}
            assert feeding._owner
        feeding._beats[0]._next = 0
        await feeding._turn()
        assert health.ready


async def test_the_age_of_the_oldest_end_that_is_not_told_counts_where_it_is_more(kafka: Kafka, feed: Stage) -> None:
    sweeper = Sweeper(kafka, feed)
    feeding = Feed(Owned(), sweeper.announced, [sweeper.patrol], feed_process.INTERVAL, Health())
    feeding._beats[0]._whole = time.monotonic()
    sweeper._sweep.oldest_untold_ms = int(time.time() * 1000) - 77_000
    assert 77 <= feeding.lag_seconds() < 77 + TAKEOVER_SECONDS


class Owned(Ownership):
    """Stands for the election."""

    def __init__(self) -> None:
        super().__init__({}, "g")
        self.fails, self.mine = False, True

    async def is_mine(self) -> bool:
        if self.fails:
            raise TimeoutError("Kafka is away")
        return self.mine

"""The watches in the feed's topic, on real Kafka: read by whoever owns the feed, kept over its death."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest

from bridge.feed import watch
from bridge.feed.ownership import Ownership
from bridge.feed.watch import Watch
from bridge.feed.watchlist import Watchlist
from bridge.producer import outbox as outboxes
from tests.engine import kafka_side
from tests.engine.test_watch import ASKED
from tests.servers.fixtures import Kafka


@contextlib.asynccontextmanager
async def owning(kafka: Kafka, group: str, watchlist: Watchlist | None = None) -> AsyncIterator[Ownership]:
    ownership = Ownership({"bootstrap_servers": kafka.bootstrap}, group)
    if watchlist is not None:
        ownership.watchlist = watchlist
    async with ownership:
        async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
            while not await ownership.is_mine():
                pass
        yield ownership


async def ask(kafka: Kafka, group: str, *watches: Watch) -> None:
    """Write watches as any process of the group does."""
    async with outboxes.opened({"bootstrap_servers": kafka.bootstrap}) as outbox:
        await outbox.send([watch.record(one, group) for one in watches])


def held(ownership: Ownership) -> list[Watch]:
    return list(ownership.watchlist.of_namespace("default"))


@pytest.fixture
async def group(kafka: Kafka) -> str:
    name = kafka_side.name("watch")
    await kafka_side.make_topics(kafka.bootstrap, f"{name}.feed", config={"cleanup.policy": "compact"})
    return name


async def test_the_owner_reads_what_another_process_asks_for(kafka: Kafka, group: str) -> None:
    async with owning(kafka, group) as ownership:
        assert held(ownership) == []
        await ask(kafka, group, ASKED)
        assert await ownership.is_mine()
        assert held(ownership) == [ASKED]


async def test_the_next_owner_has_what_is_not_done_and_only_that(kafka: Kafka, group: str) -> None:
    done, owned = (dataclasses.replace(ASKED, run_id=run_id) for run_id in ("r-2", "r-3"))
    owned = dataclasses.replace(owned, started=True)
    await ask(kafka, group, ASKED, done)
    async with owning(kafka, group) as first:
        await first.write([watch.tombstone(done, group), watch.record(owned, group)], "default", 7)
        assert held(first) == [ASKED, owned]
        assert await first.is_mine()  # reads its own back
        assert held(first) == [ASKED, owned]
    async with owning(kafka, group) as second:
        assert held(second) == [ASKED, owned]
        assert second.watermark_ms("default") == 7


async def test_an_owner_that_must_read_the_topic_again_keeps_its_watermark(kafka: Kafka, group: str) -> None:
    async with owning(kafka, group) as ownership:
        for watermark_ms in (1, 2):
            await ownership.write([], "default", watermark_ms)
        await ownership._membership.read_from(0)  # as after a rebalance
        assert ownership.watermark_ms("default") == 2


async def test_watches_above_the_bound_are_taken_up_once_there_is_room(kafka: Kafka, group: str) -> None:
    watches = [dataclasses.replace(ASKED, run_id=f"r-{number}") for number in range(3)]
    await ask(kafka, group, *watches)
    async with owning(kafka, group, Watchlist(2)) as ownership:
        assert held(ownership) == watches[:2]
        await ownership.write([watch.tombstone(watches[0], group)], "default", 1)
        assert await ownership.is_mine()
        assert held(ownership) == watches[1:]
        assert ownership.watchlist.left_out == 0

"""Runs that are reset twice, on real servers: Temporal names only the newest run that resets made of one."""

from collections.abc import Mapping
from typing import Any

from tests.engine.feed_side import Sweeper, answers, states, swept
from tests.engine.temporal_side import COMPLETED, Stage
from tests.servers.fixtures import Kafka


async def begin(feed: Stage) -> str:
    return await feed.begin(replywhen="done", replyto=feed.replies)


def following(data: list[dict[str, Any]]) -> Mapping[str, str | None]:
    """Return the run that each end names as the next one."""
    return {one["run_id"]: one["new_run_id"] for one in data if one["state"] != "started"}


async def test_what_the_first_reset_made_ends_without_a_next_run_where_its_base_is_reset_again(
    kafka: Kafka, feed: Stage
) -> None:
    async with Sweeper(kafka, feed).owning() as sweeper:
        base = await begin(feed)
        await feed.work()
        second = await feed.reset(base)
        await swept(sweeper, kafka, feed, 2)
        third = await feed.reset(base)
        await feed.work(COMPLETED)
        await feed.shown_as_closed(third)
        data = await swept(sweeper, kafka, feed, 5)
        assert list(sweeper.ownership.watchlist.of_namespace("default")) == []
    assert states(data) == [
        (base, "terminated"),
        (second, "started"),
        (second, "terminated"),
        (third, "started"),
        (third, "completed"),
    ]
    assert following(data) == {base: second, second: None, third: None}
    assert [one["run_id"] for one in await answers(kafka, feed)] == [second]


async def test_each_run_is_announced_once_where_its_base_was_reset_twice_before_anything_was_told(
    kafka: Kafka, feed: Stage
) -> None:
    base = await begin(feed)
    await feed.work()
    second = await feed.reset(base)
    third = await feed.reset(base)
    await feed.work(COMPLETED)
    await feed.shown_as_closed(third)
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 5)
    assert states(data) == [
        (base, "terminated"),
        (third, "started"),
        (second, "started"),
        (second, "terminated"),
        (third, "completed"),
    ]
    assert following(data) == {base: third, second: None, third: None}
    assert [one["run_id"] for one in await answers(kafka, feed)] == [third]


async def test_a_closed_run_keeps_its_end_however_often_it_is_reset(kafka: Kafka, feed: Stage) -> None:
    async with Sweeper(kafka, feed).owning() as sweeper:
        base = await begin(feed)
        await feed.work(COMPLETED)
        await swept(sweeper, kafka, feed, 1)
        second, third = await feed.reset(base), await feed.reset(base)
        await feed.work(COMPLETED)
        await feed.shown_as_closed(third)
        data = await swept(sweeper, kafka, feed, 5)
    assert states(data) == [
        (base, "completed"),
        (second, "started"),
        (second, "terminated"),
        (third, "started"),
        (third, "completed"),
    ]
    assert following(data) == {base: None, second: None, third: None}
    assert [one["run_id"] for one in await answers(kafka, feed)] == [base]

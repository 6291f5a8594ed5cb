"""The watches on real servers: runs of others are announced, and who waits for the end of a chain is answered."""

from typing import Any

import pytest

from bridge import announcement
from bridge.command import Command
from bridge.feed import watch
from bridge.feed.watch import Watch
from bridge.outcome import Accepted
from bridge.producer import outgoing as outgoings
from bridge.routes import Missing, Rerun, Verb
from tests.engine.feed_side import Sweeper, answers, states, swept
from tests.engine.temporal_side import COMPLETED, Stage, completed, mark
from tests.servers.fixtures import Kafka


async def carry_out(kafka: Kafka, feed: Stage, command: Command, *, fresh: bool = True) -> Accepted:
    """Do what the daemon does for a command: ask Temporal, then write what follows."""
    outcome = await feed.do(command, fresh=fresh)
    assert isinstance(outcome, Accepted), outcome
    async with outgoings.opened({"bootstrap_servers": kafka.bootstrap}) as outgoing:
        await outgoing.send(announcement.records(command, outcome, group=feed.group, namespace="default", attempts=1))
    if outcome.run_id is not None:
        feed.temporal.known_runs.add(outcome.run_id)
    return outcome


def signal(feed: Stage, command_id: str, **attributes: Any) -> Command:
    return feed.command(Verb.SIGNAL, command_id, replyto=feed.replies, **attributes)


def reach(feed: Stage, command_id: str = "cmd", **attributes: Any) -> Command:
    return feed.command(Verb.SIGNAL_WITH_START, command_id, replyto=feed.replies, rerun=Rerun.ALWAYS, **attributes)


async def done(kafka: Kafka, feed: Stage) -> list[tuple[str, str, str]]:
    """Return which command was told of which run's end."""
    found = [one for one in await answers(kafka, feed) if one["outcome"] == "done"]
    return [(one["command_id"], one["run_id"], one["state"]) for one in found]


def held(sweeper: Sweeper) -> list[Watch]:
    return list(sweeper.ownership.watchlist.of_namespace("default"))


async def patrolled(sweeper: Sweeper) -> None:
    """Read what there is to read, and go once."""
    assert await sweeper.ownership.is_mine()
    await sweeper.sweep()


async def test_a_signal_is_answered_a_second_time_once_the_chain_that_it_reached_has_ended(
    kafka: Kafka, feed: Stage
) -> None:
    await feed.begin()
    await carry_out(kafka, feed, signal(feed, "s", replywhen="done"))
    async with Sweeper(kafka, feed).owning() as sweeper:
        await patrolled(sweeper)
        assert await done(kafka, feed) == []
        await feed.renew()
        last = (await feed.latest()).run_id
        await patrolled(sweeper)
        assert [one.run_id for one in held(sweeper)] == [last]
    await feed.work(completed(b"7"))
    async with Sweeper(kafka, feed).owning() as another:
        await patrolled(another)
        assert await done(kafka, feed) == [("s", last, "completed")]
        await patrolled(another)
        assert held(another) == []
    assert len(await done(kafka, feed)) == 1


async def test_a_signal_to_a_chain_that_has_ended_by_then_is_answered_at_once(kafka: Kafka, feed: Stage) -> None:
    await feed.begin()
    for command_id in ("s", "t"):
        await carry_out(kafka, feed, signal(feed, command_id, replywhen="done"))
    await feed.renew()
    await feed.renew()
    last = (await feed.latest()).run_id
    await feed.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        await patrolled(sweeper)
        assert await done(kafka, feed) == [("s", last, "terminated"), ("t", last, "terminated")]
        assert held(sweeper) == []


async def test_a_run_that_others_began_is_announced_from_when_a_signal_with_start_reached_it(
    kafka: Kafka, feed: Stage
) -> None:
    first = await feed.begin_elsewhere()
    assert await carry_out(kafka, feed, reach(feed)) == Accepted(first, of_others=True)
    assert await carry_out(kafka, feed, reach(feed, "second")) == Accepted(first)
    async with Sweeper(kafka, feed).owning() as sweeper:
        assert states(await swept(sweeper, kafka, feed, 1)) == [(first, "started")]
        await feed.renew(with_mark=False)
        second = (await feed.latest()).run_id
        await feed.work(COMPLETED)
        data = await swept(sweeper, kafka, feed, 4)
        assert held(sweeper) == []
    assert states(data) == [
        (first, "started"),
        (first, "continued_as_new"),
        (second, "started"),
        (second, "completed"),
    ]
    assert {(one["command_id"], one["workflow_type"], one["task_queue"]) for one in data} == {
        ("cmd", "Entity", feed.queue)
    }


async def test_several_commands_that_reached_a_run_of_others_announce_it_once(kafka: Kafka, feed: Stage) -> None:
    run_id = await feed.begin_elsewhere()
    for command_id in ("a", "b"):
        other_process = Stage(feed.client, feed.group)
        other_process.workflow_id, other_process.name, other_process.queue = feed.workflow_id, feed.name, feed.queue
        reached = await carry_out(kafka, other_process, reach(other_process, command_id, replywhen="done"))
        assert reached == Accepted(run_id, of_others=True)
    async with Sweeper(kafka, feed).owning() as sweeper:
        assert states(await swept(sweeper, kafka, feed, 1)) == [(run_id, "started")]
        await feed.terminate()
        data = await swept(sweeper, kafka, feed, 2)
        await patrolled(sweeper)
        assert held(sweeper) == []
    assert states(data) == [(run_id, "started"), (run_id, "terminated")]
    assert await done(kafka, feed) == [("a", run_id, "terminated"), ("b", run_id, "terminated")]


async def test_a_run_of_others_that_has_ended_before_the_owner_read_of_it_is_announced_whole(
    kafka: Kafka, feed: Stage
) -> None:
    run_id = await feed.begin_elsewhere()
    await carry_out(kafka, feed, reach(feed))
    await feed.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    assert states(data) == [(run_id, "started"), (run_id, "terminated")]


@pytest.mark.parametrize("verb", [Verb.SIGNAL, Verb.SIGNAL_WITH_START])
async def test_a_run_of_ours_is_looked_after_by_the_sweep_alone(feed: Stage, verb: Verb) -> None:
    run_id = await feed.begin()
    command = feed.command(verb, "s", missing=Missing.START)
    assert await feed.do(command, fresh=True) == Accepted(run_id)
    await feed.renew(with_mark=False)
    next_run_id = (await feed.latest()).run_id
    assert await feed.do(feed.command(verb, "t", missing=Missing.START), fresh=True) == Accepted(next_run_id)


async def test_a_run_that_was_begun_here_is_not_asked_for(feed: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    began = await feed.do(reach(feed), fresh=True)
    assert isinstance(began, Accepted)
    assert began.began

    async def describe(*_: str) -> None:
        raise AssertionError("the run is known")

    monkeypatch.setattr(feed.temporal, "describe", describe)
    assert await feed.do(reach(feed, "next"), fresh=True) == Accepted(began.run_id)


async def test_a_watched_run_that_retention_has_taken_is_let_go(kafka: Kafka, feed: Stage) -> None:
    command = signal(feed, "s", replywhen="done")
    gone = "00000000-0000-4000-8000-000000000000"
    asked = Watch(mark.of(command, feed.group), "default", feed.workflow_id, gone, announce=False, reply_topic="r")
    async with Sweeper(kafka, feed).owning() as sweeper:
        await sweeper.ownership.write([watch.record(asked, feed.group)], "default", 1)
        assert held(sweeper) == [asked]
        await patrolled(sweeper)
        assert held(sweeper) == []


async def test_a_watch_waits_its_turn_and_the_new_ones_come_first(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.feed.lookout.LOOKS_MAX", 1)
    stages = [feed, feed.sibling()]
    runs = [await one.begin() for one in stages]
    async with Sweeper(kafka, feed).owning() as sweeper:
        for one in stages:
            await carry_out(kafka, one, signal(one, one.name, replywhen="done"))
            await patrolled(sweeper)
        for one in stages:
            await one.terminate()
        for _ in stages:
            await patrolled(sweeper)
    assert [run_id for _, run_id, _ in await done(kafka, feed)] == runs

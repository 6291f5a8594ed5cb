"""The sweep on real servers: every end once, in order, whoever ended it and whoever owns the feed."""

import asyncio
import time
from datetime import timedelta

import pytest
from aiokafka.errors import KafkaError
from temporalio.api.common.v1 import ActivityType
from temporalio.api.failure.v1 import ActivityFailureInfo, ApplicationFailureInfo, Failure

from bridge.feed.announced import Announced
from bridge.feed.ownership import Ownership
from bridge.feed.sweep import IDLE
from bridge.mark import Mark
from bridge.outcomes import lifecycle
from bridge.outcomes.event import OutRecord
from bridge.producer import outbox as outboxes
from bridge.routes import Routes
from tests.engine import kafka_side
from tests.engine.feed_side import Sweeper, events, states, swept
from tests.engine.temporal_side import CANCELLED, COMPLETED, Stage, failed
from tests.servers.fixtures import Kafka
from topics.lifecycle import State


async def test_a_completed_run_is_announced_once_with_all_that_the_contract_names(kafka: Kafka, feed: Stage) -> None:
    run_id = await feed.begin("cmd")
    await feed.work(COMPLETED)
    async with Sweeper(kafka, feed).owning() as sweeper:
        await swept(sweeper, kafka, feed, 1)
    ((headers, data),) = await events(kafka, feed)
    assert headers["ce_id"] == lifecycle.event_id("default", feed.workflow_id, run_id, State.COMPLETED)
    assert (headers["ce_type"], headers["ce_subject"]) == ("workflow.completed", feed.workflow_id)
    assert headers["ce_time"] == data["closed_at"]
    assert data["duration_ms"] >= 0
    assert {name: data[name] for name in data.keys() - {"closed_at", "started_at", "duration_ms"}} == {
        "workflow_id": feed.workflow_id,
        "run_id": run_id,
        "first_run_id": run_id,
        "workflow_type": "Entity",
        "namespace": "default",
        "task_queue": feed.queue,
        "state": "completed",
        "command_id": "cmd",
        "command_source": "/test",
        "command_type": "engine.do",
        "attempt": 1,
        "new_run_id": None,
        "failure": None,
    }


async def test_a_failed_run_is_announced_with_its_deepest_cause(kafka: Kafka, feed: Stage) -> None:
    await feed.begin()
    deep = Failure(message="card refused", application_failure_info=ApplicationFailureInfo(type="CardRefused"))
    info = ActivityFailureInfo(activity_id="1", activity_type=ActivityType(name="charge"))
    await feed.work(failed(Failure(message="activity failed", activity_failure_info=info, cause=deep)))
    async with Sweeper(kafka, feed).owning() as sweeper:
        (data,) = await swept(sweeper, kafka, feed, 1)
    assert (data["state"], data["failure"]) == ("failed", {"type": "CardRefused", "message": "card refused"})


async def test_a_cancelled_a_terminated_and_a_timed_out_run_are_announced(kafka: Kafka, feed: Stage) -> None:
    terminated, timed_out = feed.sibling(), feed.sibling()
    cancelled_run, terminated_run = await feed.begin(), await terminated.begin()
    await feed.work(CANCELLED)
    await terminated.terminate()
    timed_out_run = await timed_out.begin_with_timeout()  # now, as ends are told in the order of their times
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    assert states(data) == [
        (cancelled_run, "cancelled"),
        (terminated_run, "terminated"),
        (timed_out_run, "timed_out"),
    ]


async def test_a_run_that_continues_as_new_is_announced_with_the_start_of_the_next(kafka: Kafka, feed: Stage) -> None:
    first = await feed.begin("cmd")
    await feed.renew()
    second = (await feed.latest()).run_id
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    assert states(data) == [(first, "continued_as_new"), (second, "started")]
    assert (data[0]["new_run_id"], data[1]["first_run_id"], data[1]["command_id"]) == (second, first, "cmd")


async def test_a_chain_is_announced_in_order_with_one_start_and_one_end_a_run(kafka: Kafka, feed: Stage) -> None:
    async with Sweeper(kafka, feed, out=False).owning() as sweeper:
        first = await feed.begin()
        await feed.renew()
        second = (await feed.latest()).run_id
        await feed.terminate()
        await feed.shown_as_closed(second)
        data = await swept(sweeper, kafka, feed, 4)  # the first sweeps come before the start of the first run is due
    assert states(data) == [
        (first, "started"),
        (first, "continued_as_new"),
        (second, "started"),
        (second, "terminated"),
    ]


async def test_a_start_that_was_lost_is_announced_before_its_end_after_a_second(kafka: Kafka, feed: Stage) -> None:
    async with Sweeper(kafka, feed, out=False).owning() as sweeper:
        run_id = await feed.begin()
        await feed.work(COMPLETED)
        await feed.shown_as_closed(run_id)
        waited = await sweeper.sweep()
        data = await swept(sweeper, kafka, feed, 2)
    assert waited
    assert states(data) == [(run_id, "started"), (run_id, "completed")]


async def test_a_run_of_others_is_not_announced(kafka: Kafka, feed: Stage) -> None:
    stranger = feed.sibling()
    await stranger.begin_elsewhere()
    await stranger.terminate()
    run_id = await feed.begin()
    await feed.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 1)
    assert states(data) == [(run_id, "terminated")]


async def test_a_new_owner_announces_nothing_again(kafka: Kafka, feed: Stage) -> None:
    run_id = await feed.begin()
    await feed.work(COMPLETED)
    async with Sweeper(kafka, feed).owning() as first:
        await swept(first, kafka, feed, 1)
        watermark = first.ownership.watermark_ms("default")
    async with Sweeper(kafka, feed).owning() as second:
        assert second.ownership.watermark_ms("default") == watermark > 0
        data = await swept(second, kafka, feed, 1)
    assert states(data) == [(run_id, "completed")]


async def test_only_what_was_written_is_counted(kafka: Kafka, feed: Stage) -> None:
    await feed.begin()
    await feed.work(COMPLETED)
    sweeper = Sweeper(kafka, feed)
    sweeper._sweep._lookup._routes = Routes([])
    async with sweeper.owning():
        async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
            while not sweeper.ownership.watermark_ms("default"):
                await sweeper.sweep()
    assert b"bridge_lifecycle_events_total{" not in sweeper.metrics.exposition()


async def test_an_owner_that_was_thought_dead_cannot_write(kafka: Kafka, feed: Stage) -> None:
    event = OutRecord(feed.lifecycle, b"k", b"{}", (("ce_id", b"1"),))
    async with Sweeper(kafka, feed).owning() as zombie:
        await zombie.ownership.write([event], "default", 1)
        heir = Ownership({"bootstrap_servers": kafka.bootstrap}, feed.group)
        heir._membership._consumer = (
            zombie.ownership._membership._consumer
        )  # as if the group had given it the partition
        assert await heir.is_mine()
        with pytest.raises(KafkaError):
            await zombie.ownership.write([event], "default", 3)
        await heir.write([event], "default", 2)
        heir._membership._consumer = None
        await heir.resign()
    assert len(await kafka_side.read_all(kafka.bootstrap, feed.lifecycle)) == 2
    async with Sweeper(kafka, feed).owning() as next_owner:
        assert next_owner.ownership.watermark_ms("default") == 2


async def test_what_is_in_the_topic_is_known_after_it_was_read_back(kafka: Kafka, feed: Stage) -> None:
    run_id = await feed.begin()
    event_id = lifecycle.event_id("default", feed.workflow_id, run_id, State.STARTED)
    run = lifecycle.RunFacts("default", feed.workflow_id, run_id, run_id, "Entity", feed.queue)
    mark = (await feed.latest()).mark
    assert isinstance(mark, Mark)
    async with Sweeper(kafka, feed).owning() as sweeper:
        assert event_id not in sweeper.announced
        await sweeper.ownership.write([lifecycle.started(mark, run, feed.lifecycle)], "default", 1)
        async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
            while event_id not in sweeper.announced:  # the broker shows what was committed a moment after it says so
                await sweeper.announced.catch_up()


async def test_what_came_while_nothing_closed_is_read_if_it_is_new_enough_else_passed_over(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await feed.begin()
    mark = (await feed.latest()).mark
    assert isinstance(mark, Mark)
    names = [f"{feed.workflow_id}-{n}" for n in range(3)]
    runs = [lifecycle.RunFacts("default", name, run_id, run_id, "Entity", feed.queue) for name in names]
    ids = [lifecycle.event_id("default", name, run_id, State.STARTED) for name in names]
    options = {"bootstrap_servers": kafka.bootstrap}
    async with outboxes.opened(options) as outbox, Sweeper(kafka, feed).owning() as sweeper:

        async def write(number: int) -> None:
            await outbox.send([lifecycle.started(mark, runs[number], feed.lifecycle)])

        await write(0)
        monkeypatch.setattr("bridge.feed.announced.KEPT", timedelta(0))
        await sweeper.announced.pass_over()
        monkeypatch.undo()
        await write(1)
        await sweeper.announced.pass_over()
        await write(2)
        await sweeper.announced.catch_up()
        assert [event_id in sweeper.announced for event_id in ids] == [False, True, True]


async def test_a_memory_that_could_not_be_opened_is_closed_all_the_same() -> None:
    announced = Announced({"bootstrap_servers": "127.0.0.1:1"}, ["t"])
    with pytest.raises(KafkaError):
        await announced.open(0)
    consumer = announced._reading._consumer
    await announced.close()
    assert consumer is not None
    assert consumer._closed


def test_what_is_known_of_starts_is_forgotten_also_while_nothing_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    announced = Announced({}, [])
    began = time.monotonic()
    for number in range(3):
        announced._note((("ce_id", b"%d" % number), ("ce_type", b"workflow.started")), 0)
    for minutes, is_known in ((1, True), (3, True), (4, True), (6, False)):
        later = began + 60 * minutes
        monkeypatch.setattr("bridge.feed.announced.time.monotonic", lambda: later)  # noqa: B023 - asked in this turn
        announced.forget_before(0)
        assert [str(number) in announced for number in range(3)] == [is_known] * 3


async def test_the_watermark_of_a_namespace_in_which_nothing_ends_is_moved_on_now_and_then(
    kafka: Kafka, feed: Stage
) -> None:
    began_ms = int(time.time() * 1000)
    idle_ms = IDLE // timedelta(milliseconds=1)
    async with Sweeper(kafka, feed).owning() as sweeper:
        await sweeper._sweep.keep_up(began_ms)
        assert sweeper._sweep.watermark_ms == began_ms - idle_ms
        await sweeper._sweep.keep_up(began_ms + idle_ms)
        assert sweeper._sweep.watermark_ms == began_ms - idle_ms


async def test_an_end_that_visibility_showed_too_late_for_the_sweep_is_found_by_the_second_look(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.feed.secondlook.AGE_MS", 0)
    monkeypatch.setattr("bridge.feed.secondlook.SPAN_MS", 0)
    run_id = await feed.begin()
    began_ms = int(time.time() * 1000)
    await feed.work(COMPLETED)
    await feed.shown_as_closed(run_id)
    async with Sweeper(kafka, feed).owning() as sweeper:
        await sweeper.ownership.write([], "default", began_ms + 90_000)  # as if others had closed since
        await sweeper._sweep.sweep(timedelta(seconds=10))
        assert await events(kafka, feed) == []
        sweeper.patrol.second_look.begin(began_ms - 1)
        data = await swept(sweeper, kafka, feed, 1)
    assert states(data) == [(run_id, "completed")]


async def test_a_run_whose_route_is_gone_is_looked_at_once(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await feed.begin()
    await feed.work(COMPLETED)
    await feed.shown_as_closed(run_id)
    async with Sweeper(kafka, feed, routes=()).owning() as sweeper:
        await sweeper.sweep()

        async def look(*_: str) -> None:
            raise AssertionError("it is known")

        monkeypatch.setattr(sweeper._sweep._lookup, "told", look)
        await sweeper.sweep()
    assert await events(kafka, feed) == []


async def test_without_a_topic_that_announces_runs_there_is_nothing_to_remember() -> None:
    announced = Announced({"bootstrap_servers": "127.0.0.1:1"}, [])
    await announced.open(0)
    await announced.catch_up()
    await announced.close()

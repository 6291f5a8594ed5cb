"""What the feed tells of ends that are out of the ordinary, on real servers: resets, retries, cron, lost marks."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Memo, RetryPolicy, SearchAttributes
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure

from bridge import mark
from bridge.routes import Route, Verb
from tests.engine import kafka_side
from tests.engine.feed_side import Sweeper, answers, events, states, swept
from tests.engine.temporal_side import COMPLETED, Stage, completed, failed
from tests.servers.fixtures import Kafka

REFUSED = Failure(message="card refused", application_failure_info=ApplicationFailureInfo(type="CardRefused"))


def with_result(stage: Stage) -> list[Route]:
    return [dataclasses.replace(stage.route(Verb.START), result=True)]


def of_run(data: list[dict[str, Any]], run_id: str) -> Mapping[str, Any]:
    """Return the data of the one event that tells of a run's end."""
    (found,) = (one for one in data if one["run_id"] == run_id and one["state"] != "started")
    return found


async def test_the_result_is_told_digit_by_digit_where_the_route_asks_for_it(kafka: Kafka, feed: Stage) -> None:
    await feed.begin()
    await feed.work(completed(b'{"total": 12345678901234567890.10}'))
    async with Sweeper(kafka, feed, routes=with_result(feed)).owning() as sweeper:
        await swept(sweeper, kafka, feed, 1)
    (record,) = await kafka_side.read_all(kafka.bootstrap, feed.lifecycle)
    assert (record.value or b"").endswith(b'"result":{"total": 12345678901234567890.10}}')


async def test_a_result_that_is_large_encrypted_or_not_asked_for_is_not_told(kafka: Kafka, feed: Stage) -> None:
    large, encrypted = feed.sibling(), feed.sibling()
    for one in (large, encrypted):
        await one.begin()
    await large.work(completed(b'"' + b"x" * 65536 + b'"'))
    await encrypted.work(completed(b"secret", encoding=b"binary/encrypted"))
    async with Sweeper(kafka, feed, routes=with_result(feed)).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
        assert [one["result"] for one in data] == [None, None]
    await feed.begin()
    await feed.work(completed(b"1"))
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    assert "result" not in data[2]


async def test_a_timed_out_and_a_terminated_run_say_why(kafka: Kafka, feed: Stage) -> None:
    late = feed.sibling()
    terminated, timed_out = await feed.begin(), await late.begin_with_timeout()
    await feed.client.get_workflow_handle(feed.workflow_id).terminate(reason="no longer wanted")
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    assert of_run(data, terminated)["failure"] == {"type": "terminated", "message": "no longer wanted"}
    assert of_run(data, timed_out)["failure"]["type"] == "timeout"


async def test_a_run_that_is_reset_names_the_next_one_whose_start_follows_at_once(kafka: Kafka, feed: Stage) -> None:
    first = await feed.begin("cmd")
    await feed.work()
    second = await feed.reset(first)
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    assert states(data) == [(first, "terminated"), (second, "started")]
    assert (data[0]["new_run_id"], data[1]["first_run_id"], data[1]["command_id"]) == (second, first, "cmd")
    await feed.work(COMPLETED)
    async with Sweeper(kafka, feed).owning() as another:
        data = await swept(another, kafka, feed, 3)
        assert list(another.ownership.watchlist.of_namespace("default")) == []
    assert states(data)[2:] == [(second, "completed")]


async def test_a_reset_and_all_that_came_of_it_is_announced_in_order_in_one_sweep(kafka: Kafka, feed: Stage) -> None:
    first = await feed.begin()
    await feed.work()
    second = await feed.reset(first)
    await feed.work(COMPLETED)
    await feed.shown_as_closed(second)
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    assert states(data) == [(first, "terminated"), (second, "started"), (second, "completed")]


async def test_a_run_that_a_reset_made_of_a_closed_one_is_announced_with_its_start(kafka: Kafka, feed: Stage) -> None:
    first = await feed.begin()
    await feed.work(COMPLETED)
    async with Sweeper(kafka, feed).owning() as sweeper:
        await swept(sweeper, kafka, feed, 1)
        second = await feed.reset(first)
        await feed.work(COMPLETED)
        data = await swept(sweeper, kafka, feed, 3)
    assert states(data) == [(first, "completed"), (second, "started"), (second, "completed")]
    assert data[0]["new_run_id"] is None


async def test_each_retry_of_a_run_is_announced_with_its_attempt(kafka: Kafka, feed: Stage) -> None:
    def twice(request: workflowservice.StartWorkflowExecutionRequest) -> None:
        policy = RetryPolicy(initial_interval=Duration(nanos=1_000_000), maximum_attempts=2)
        request.retry_policy.CopyFrom(policy)

    first = await feed.begin_with(twice)
    await feed.work(failed(REFUSED))
    second = (await feed.latest()).run_id
    await feed.work(failed(REFUSED))
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    assert states(data) == [(first, "failed"), (second, "started"), (second, "failed")]
    assert [one["attempt"] for one in data] == [1, 2, 2]
    assert [one.get("new_run_id") for one in data] == [second, None, None]


async def test_each_run_of_a_cron_schedule_is_announced(kafka: Kafka, feed: Stage) -> None:
    def every_second(request: workflowservice.StartWorkflowExecutionRequest) -> None:
        request.cron_schedule = "@every 1s"

    first = await feed.begin_with(every_second)
    await feed.work(COMPLETED)
    second = (await feed.latest()).run_id
    await feed.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    assert states(data) == [(first, "completed"), (second, "started"), (second, "terminated")]


async def test_a_run_that_lost_its_mark_or_its_attribute_is_announced_as_its_chain_is(
    kafka: Kafka, feed: Stage
) -> None:
    async with Sweeper(kafka, feed).owning() as sweeper:
        runs = [await feed.begin("cmd")]
        for kept in ({"with_mark": False}, {"with_group": False}, {"with_mark": False, "with_group": False}, {}):
            await feed.renew(**kept)
            runs.append((await feed.latest()).run_id)
        await feed.terminate()
        data = await swept(sweeper, kafka, feed, 9)
        assert list(sweeper.ownership.watchlist.of_namespace("default")) == []
    expected = [(runs[0], "continued_as_new")]
    for run_id in runs[1:]:
        expected += [(run_id, "started"), (run_id, "continued_as_new" if run_id != runs[-1] else "terminated")]
    assert states(data) == expected
    assert {(one["command_id"], one["first_run_id"]) for one in data} == {("cmd", runs[0])}


async def test_a_run_that_no_sweep_finds_is_looked_after_by_the_next_owner_too(kafka: Kafka, feed: Stage) -> None:
    first = await feed.begin()
    await feed.renew(with_group=False)
    second = (await feed.latest()).run_id
    async with Sweeper(kafka, feed).owning() as sweeper:
        assert states(await swept(sweeper, kafka, feed, 2)) == [(first, "continued_as_new"), (second, "started")]
    await feed.work(COMPLETED)
    async with Sweeper(kafka, feed).owning() as another:
        data = await swept(another, kafka, feed, 3)
    assert states(data)[2:] == [(second, "completed")]


async def begin_child(feed: Stage, *, with_mark: bool, **attributes: Any) -> str:
    """Start what a workflow or a schedule would: a run with our search attribute that no command began."""
    command = feed.command(Verb.START, "parent", **attributes)
    fields = {mark.MEMO: mark.memo(mark.of(command, feed.group))} if with_mark else {}
    request = workflowservice.StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=feed.workflow_id,
        request_id="child",
        memo=Memo(fields=fields),
        search_attributes=SearchAttributes(indexed_fields=mark.search_attributes(command, feed.group)),
    )
    request.workflow_type.name = "Entity"
    request.task_queue.name = feed.queue
    return (await feed.client.workflow_service.start_workflow_execution(request)).run_id


async def test_a_child_with_our_mark_is_announced_start_and_end_for_the_command(kafka: Kafka, feed: Stage) -> None:
    run_id = await begin_child(feed, with_mark=True)
    await feed.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    assert states(data) == [(run_id, "started"), (run_id, "terminated")]
    assert {one["command_id"] for one in data} == {"parent"}


async def test_a_child_without_a_mark_is_announced_by_its_workflow_type_for_no_command(
    kafka: Kafka, feed: Stage
) -> None:
    run_id = await begin_child(feed, with_mark=False)
    await feed.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
    assert states(data) == [(run_id, "started"), (run_id, "terminated")]
    assert {(one["command_id"], one["command_source"], one["command_type"]) for one in data} == {(None, None, None)}
    headers = [names for names, _ in await events(kafka, feed)]
    assert ["ce_causationid" in names for names in headers] == [False, False]
    assert {names["ce_correlationid"] for names in headers} == {feed.workflow_id}
    assert headers[0]["ce_time"] == data[1]["started_at"]


async def asking(feed: Stage, command_id: str = "cmd") -> str:
    """Start a run by a command that asks for a second answer."""
    return await feed.begin(command_id, replywhen="done", replyto=feed.replies)


async def test_the_command_is_answered_a_second_time_when_its_chain_has_ended(kafka: Kafka, feed: Stage) -> None:
    first = await asking(feed)
    await feed.renew()
    last = (await feed.latest()).run_id
    async with Sweeper(kafka, feed).owning() as sweeper:
        await swept(sweeper, kafka, feed, 2)
        assert await answers(kafka, feed) == []
        await feed.work(completed(b'{"sum": 1.50}'))
        await swept(sweeper, kafka, feed, 3)
    (answer,) = await answers(kafka, feed)
    assert first != last
    names = ("command_id", "outcome", "run_id", "state", "result", "failure")
    assert [answer[name] for name in names] == ["cmd", "done", last, "completed", {"sum": 1.5}, None]


async def test_the_end_by_a_reset_is_no_end_of_the_chain_and_a_reset_of_the_end_is_not_told_again(
    kafka: Kafka, feed: Stage
) -> None:
    async with Sweeper(kafka, feed).owning() as sweeper:
        first = await asking(feed)
        await feed.work()
        second = await feed.reset(first)
        await swept(sweeper, kafka, feed, 2)
        assert await answers(kafka, feed) == []
        await feed.work(COMPLETED)
        await swept(sweeper, kafka, feed, 3)
        assert [one["run_id"] for one in await answers(kafka, feed)] == [second]
        third = await feed.reset(second)
        await feed.renew()
        fourth = (await feed.latest()).run_id
        await feed.work(COMPLETED)
        data = await swept(sweeper, kafka, feed, 7)
    assert states(data)[3:] == [
        (third, "started"),
        (third, "continued_as_new"),
        (fourth, "started"),
        (fourth, "completed"),
    ]
    assert [one["run_id"] for one in await answers(kafka, feed)] == [second]


async def test_a_child_that_carries_the_mark_does_not_end_the_chain(kafka: Kafka, feed: Stage) -> None:
    child = feed.sibling()
    await asking(feed)
    asked = (await feed.latest()).mark
    assert asked is not None
    assert asked.done == feed.replies
    await asyncio.gather(feed.work(COMPLETED), begin_child(child, with_mark=True, replywhen="done"))
    await child.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        await swept(sweeper, kafka, feed, 3)
    assert [one["state"] for one in await answers(kafka, feed)] == ["completed"]


async def test_a_reply_topic_that_is_not_allowed_any_more_gets_no_answer_and_holds_nothing_up(
    kafka: Kafka, feed: Stage
) -> None:
    await asking(feed)
    await feed.work(COMPLETED)
    async with Sweeper(kafka, feed, reply_topics=()).owning() as sweeper:
        await swept(sweeper, kafka, feed, 1)
    assert await answers(kafka, feed) == []


async def test_the_second_answer_where_nothing_is_announced_is_written_again_by_a_new_owner_and_is_the_same(
    kafka: Kafka, feed: Stage
) -> None:
    routes = [dataclasses.replace(feed.route(Verb.START), lifecycle="")]
    await asking(feed)
    await feed.work(COMPLETED)
    async with Sweeper(kafka, feed, routes=routes).owning() as sweeper:
        await answered(sweeper, kafka, feed, 1)
    async with Sweeper(kafka, feed, routes=routes).owning() as another:
        first, second = await answered(another, kafka, feed, 2)
    assert (first.key, first.value, first.headers, first.timestamp) == (
        second.key, second.value, second.headers, second.timestamp,
    )  # fmt: skip
    assert await events(kafka, feed) == []


async def answered(sweeper: Sweeper, kafka: Kafka, feed: Stage, count: int) -> list[Any]:
    """Sweep until so many replies are there, and twice more; return them."""
    async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
        while len(await kafka_side.read_all(kafka.bootstrap, feed.replies)) < count:
            await sweeper.sweep()
    for _ in range(2):
        await sweeper.sweep()
    return list(await kafka_side.read_all(kafka.bootstrap, feed.replies))

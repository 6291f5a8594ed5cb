"""Children of our workflows on real servers, with a real worker and its sandbox."""

import asyncio
import dataclasses

from temporalio.worker import Worker

from bridge.routes import Verb
from tests.engine.descendants import Child, Parent
from tests.engine.feed_side import Sweeper, answers, swept
from tests.engine.temporal_side import Stage
from tests.servers.fixtures import Kafka


async def test_a_child_that_got_its_descent_is_announced_for_the_command_and_another_one_is_not(
    kafka: Kafka, feed: Stage
) -> None:
    routes = [dataclasses.replace(feed.route(Verb.START), result=True)]
    run_id = await feed.begin("cmd", replywhen="done", replyto=feed.replies)
    async with asyncio.timeout(30), Worker(feed.client, task_queue=feed.queue, workflows=[Parent, Child]):
        await feed.client.get_workflow_handle(feed.workflow_id).result()
    async with Sweeper(kafka, feed, routes=routes).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    child_id = f"{feed.workflow_id}-known"
    told = [(one["workflow_id"], one["state"], one["command_id"], one.get("result")) for one in data]
    assert told == [
        (child_id, "started", "cmd", None),
        (child_id, "completed", "cmd", "known"),
        (feed.workflow_id, "completed", "cmd", ["known", "own"]),
    ]
    assert [one["run_id"] for one in await answers(kafka, feed)] == [run_id]

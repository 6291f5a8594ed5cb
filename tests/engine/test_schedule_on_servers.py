"""What a schedule of Temporal's begins, on real servers, where it carries the search attribute of the bridge."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import jiter
import pytest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from bridge import mark
from bridge.callback import Signer
from bridge.dispatch.callbackmode import CallbackMode
from bridge.routes import Verb
from tests.engine import kafka_side
from tests.engine.feed_side import Sweeper, answers, swept
from tests.engine.temporal_side import COMPLETED, Stage
from tests.servers.fixtures import Kafka

GROUP = SearchAttributeKey.for_keyword(mark.GROUP_ATTRIBUTE)
RUNS = 2


@pytest.fixture
async def made(feed: Stage) -> AsyncIterator[list[ScheduleHandle]]:
    """Give the schedules that a test makes, which end with it."""
    handles: list[ScheduleHandle] = []
    yield handles
    for handle in handles:
        await handle.delete()


async def begin(feed: Stage, memo: Mapping[str, Any]) -> ScheduleHandle:
    """Make a schedule that begins a run when it is asked to."""
    action = ScheduleActionStartWorkflow(
        "Entity",
        id=feed.workflow_id,
        task_queue=feed.queue,
        memo=memo,
        typed_search_attributes=TypedSearchAttributes([SearchAttributePair(GROUP, feed.group)]),
    )
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=timedelta(minutes=1))
    return await feed.client.create_schedule(
        f"schedule-{feed.name}", Schedule(action=action, spec=ScheduleSpec(), policy=policy)
    )


async def run_to_their_ends(feed: Stage, handle: ScheduleHandle) -> list[str]:
    """Have the schedule begin runs, one after the other; return their ids once they have completed."""
    found: list[str] = []
    while len(found) < RUNS:
        await handle.trigger()
        found = await begun(handle, len(found) + 1)
        await feed.work(COMPLETED)
    return found


async def begun(handle: ScheduleHandle, count: int) -> list[str]:
    """Return the ids of the runs that the schedule has begun, once there are so many."""
    async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
        while True:
            actions = (await handle.describe()).info.recent_actions
            if len(actions) >= count:
                return [one.action.first_execution_run_id for one in actions]  # type: ignore[attr-defined]  # all are starts
            await asyncio.sleep(0.05)


def told(data: list[dict[str, Any]], run_id: str) -> list[tuple[str, str | None, str]]:
    return [(one["state"], one["command_id"], one["first_run_id"]) for one in data if one["run_id"] == run_id]


async def test_the_runs_of_a_schedule_are_announced_for_no_command_by_their_workflow_type(
    kafka: Kafka, feed: Stage, made: list[ScheduleHandle]
) -> None:
    made.append(await begin(feed, {}))
    run_ids = await run_to_their_ends(feed, made[0])
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2 * RUNS)
    assert [told(data, run_id) for run_id in run_ids] == [
        [("started", None, run_id), ("completed", None, run_id)] for run_id in run_ids
    ]
    assert len(data) == 2 * RUNS


async def test_the_runs_of_a_schedule_with_a_mark_are_announced_for_its_command_which_is_not_answered_again(
    kafka: Kafka, feed: Stage, made: list[ScheduleHandle]
) -> None:
    # As a schedule that a workflow makes with what `descent()` gives, though with the second reply left in.
    command = feed.command(Verb.START, "maker", replywhen="done", replyto=feed.replies)
    handed = jiter.from_json(mark.memo(mark.of(command, feed.group)).data)
    made.append(await begin(feed, {mark.MEMO: handed}))
    run_ids = await run_to_their_ends(feed, made[0])
    # They carry no callback, though their route asks for one: the sweep must not leave them to it.
    mode = CallbackMode("default", Signer("http://127.0.0.1:1", "secret", feed.group))
    async with Sweeper(kafka, feed, callbacks=mode).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2 * RUNS)
    assert [told(data, run_id) for run_id in run_ids] == [
        [("started", "maker", run_id), ("completed", "maker", run_id)] for run_id in run_ids
    ]
    assert await answers(kafka, feed) == []

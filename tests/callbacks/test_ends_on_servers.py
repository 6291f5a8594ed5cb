"""Ends that Temporal calls back for: announced once, in order, whatever the caller says."""

import contextlib
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import jiter
import pytest
from temporalio.api.failure.v1 import Failure

from bridge.dispatch.callbackmode import MISSED_MAX
from bridge.errors import KafkaAwayError
from bridge.feed.callbacks import announcer, memory
from bridge.feed.callbacks.announcer import Sender
from bridge.outcomes.event import OutRecord
from bridge.routes import Verb
from tests.callbacks import caller
from tests.callbacks.listening import Listening
from tests.engine import kafka_side
from tests.engine.feed_side import Sweeper, answers, swept
from tests.engine.temporal_side import CANCELLED, COMPLETED, Stage, failed
from tests.servers.fixtures import Kafka


async def events(kafka: Kafka, stage: Stage) -> list[dict[str, Any]]:
    return [
        jiter.from_json(record.value or b"") for record in await kafka_side.read_all(kafka.bootstrap, stage.lifecycle)
    ]


async def states(kafka: Kafka, stage: Stage) -> list[tuple[str, str]]:
    return [(one["run_id"], one["state"]) for one in await events(kafka, stage)]


async def test_a_run_that_completes_is_announced_by_its_callback(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed).open() as listening:
        run_id = await feed.begin()
        await feed.work(COMPLETED)
        await listening.called("told")
    assert await states(kafka, feed) == [(run_id, "completed")]


async def test_failed_cancelled_terminated_and_timed_out_runs_are_announced(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed).open() as listening:
        stages = [feed, *(feed.sibling() for _ in range(3))]
        for stage in stages:
            stage.temporal = feed.temporal
        ids = [await stage.begin() for stage in stages[:3]]
        await stages[0].work(failed(Failure(message="no")))
        await stages[1].work(CANCELLED)
        await stages[2].terminate()
        ids.append(await stages[3].begin_with_timeout(listening.signer))
        await listening.called("told", 4)
    expected = zip(ids, ["failed", "cancelled", "terminated", "timed_out"], strict=True)
    assert sorted(await states(kafka, feed)) == sorted(expected)


async def test_a_start_that_is_not_out_yet_is_written_before_its_end(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed, out=False).open() as listening:
        run_id = await feed.begin()
        await feed.work(COMPLETED)
        await listening.called("told")
    assert await states(kafka, feed) == [(run_id, "started"), (run_id, "completed")]


async def test_a_replayed_callback_has_no_effect(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed).open() as listening:
        command = feed.command(Verb.START, "first")
        run_id = await feed.begin()
        await feed.work(COMPLETED)
        await listening.called("told")
        token = listening.signer.token("default", command.record_request_id, feed.workflow_id)
        sent = caller.headers(token, run_id, feed.workflow_id)
        assert [await caller.post(listening.address, listening.signer.path, sent) for _ in range(3)] == [200] * 3
        assert listening.counted == {"told": 1, "known": 3}
    assert await states(kafka, feed) == [(run_id, "completed")]


async def test_a_callback_that_names_a_run_that_is_open_announces_nothing(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed).open() as listening:
        run_id = await feed.begin()
        token = listening.signer.token("default", "r", feed.workflow_id)
        sent = caller.headers(token, run_id, feed.workflow_id)
        assert await caller.post(listening.address, listening.signer.path, sent) == 200
        assert listening.counted == {"not_announced": 1}
    assert await events(kafka, feed) == []


async def test_a_callback_for_a_run_of_another_command_announces_nothing(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed).open() as listening:
        stage = feed.sibling()  # starts without callbacks
        run_id = await stage.begin()
        await stage.terminate()
        token = listening.signer.token("default", "another", stage.workflow_id)
        sent = caller.headers(token, run_id, stage.workflow_id)
        assert await caller.post(listening.address, listening.signer.path, sent) == 200
        assert listening.counted == {"not_announced": 1}
    assert await events(kafka, feed) == []


async def test_a_callback_of_a_namespace_that_no_route_names_is_refused(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed).open() as listening:
        token = listening.signer.token("elsewhere", "r", feed.workflow_id)
        sent = caller.headers(token, "run", feed.workflow_id)
        assert await caller.post(listening.address, listening.signer.path, sent) == 503
        assert listening.counted == {"unknown_namespace": 1}


async def test_a_late_callback_is_left_to_the_sweep(kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Listening(kafka, feed).open() as listening:
        for _ in range(MISSED_MAX):
            listening.mode.missed()
        moved = time.time() + 9
        monkeypatch.setattr("bridge.feed.callbacks.announcer.time.time", lambda: moved)
        await feed.begin()
        await feed.work(COMPLETED)
        await listening.called("left_to_sweep")
        assert listening.mode.name == "sweep"  # callbacks that come too late are as good as lost
    assert await events(kafka, feed) == []


async def test_the_end_of_a_chain_whose_start_is_not_out_is_left_to_the_sweep(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcer, "YOUNG", timedelta(seconds=2))
    async with Listening(kafka, feed).open() as listening:
        await feed.begin()
        await feed.renew()
        await feed.work(COMPLETED)
        await listening.called("left_to_sweep")
        assert listening.counted == {"left_to_sweep": 1}  # called once, for the last run
    assert await events(kafka, feed) == []


async def test_the_end_of_an_old_run_whose_start_came_with_an_end_that_is_not_out_is_left_to_the_sweep(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = Listening(kafka, feed)
    first = await feed.begin()
    await feed.renew()
    second = await feed.latest()
    async with contextlib.AsyncExitStack() as stack:
        with monkeypatch.context() as patched:
            patched.setattr(memory, "KEPT", timedelta(0))  # so that the run is older than what is remembered
            await stack.enter_async_context(listening.open())
        await feed.work(COMPLETED)
        await listening.called("left_to_sweep")
        assert await events(kafka, feed) == []
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    assert [(one["run_id"], one["state"]) for one in data] == [
        (first, "continued_as_new"),
        (second.run_id, "started"),
        (second.run_id, "completed"),
    ]


async def test_the_end_of_a_chain_follows_as_soon_as_the_run_before_it_is_announced(kafka: Kafka, feed: Stage) -> None:
    async with Listening(kafka, feed).open() as listening:
        first = await feed.begin()
        await feed.renew()
        second = await feed.latest()
        async with Sweeper(kafka, feed).owning() as sweeper:
            await swept(sweeper, kafka, feed, 2)
            await feed.work(COMPLETED)
            await listening.called("told")
    expected = [(first, "continued_as_new"), (second.run_id, "started"), (second.run_id, "completed")]
    assert await states(kafka, feed) == expected


class Stumbling:
    """Sends everything, but the first second reply only at the second try."""

    def __init__(self, sender: Sender, replies: str) -> None:
        self._sender = sender
        self._replies = replies
        self.stumbled = False

    async def send(self, records: Sequence[OutRecord]) -> None:
        if self.stumbled or all(record.topic != self._replies for record in records):
            await self._sender.send(records)
            return
        self.stumbled = True
        await self._sender.send([record for record in records if record.topic != self._replies])
        raise KafkaAwayError("the topic of replies takes nothing")


async def test_who_asked_is_answered_also_where_the_answer_could_not_be_written_at_first(
    kafka: Kafka, feed: Stage
) -> None:
    async with Listening(kafka, feed, through=lambda sender: Stumbling(sender, feed.replies)).open() as listening:
        run_id = await feed.begin(replywhen="done", replyto=feed.replies)
        await feed.work(COMPLETED)
        await listening.called("told")
    assert await states(kafka, feed) == [(run_id, "completed")]
    assert [(one["outcome"], one["run_id"]) for one in await answers(kafka, feed)] == [("done", run_id)]

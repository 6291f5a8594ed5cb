"""Runs with a mark that other people wrote, and records that Kafka never takes, on real servers: the feed goes on."""

import dataclasses
import time
from typing import Any

import pytest
import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import Memo, SearchAttributes

from bridge import mark
from bridge.announcement import records
from bridge.command import rfc3339
from bridge.feed.ownership import RefusedRecordError
from bridge.mark import Mark
from bridge.outcome import Accepted
from bridge.outcomes.event import OutRecord
from bridge.producer import outgoing as outgoings
from bridge.routes import Rerun, Verb
from tests.engine import kafka_side
from tests.engine.feed_side import Sweeper, events, states, swept
from tests.engine.temporal_side import COMPLETED, Stage
from tests.servers.fixtures import Kafka

HOUR_MS = 3_600_000


async def begin_strange(stage: Stage, *, in_group: bool = True, **changed: Any) -> str:
    """Start what other people may: a run with our search attribute, and a mark that they wrote."""
    command = stage.command(Verb.START, "strange")
    written: Mark = dataclasses.replace(mark.of(command, stage.group), **changed)
    attributes = mark.search_attributes(command, stage.group) if in_group else {}
    request = workflowservice.StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=stage.workflow_id,
        request_id="strange",
        memo=Memo(fields={mark.MEMO: mark.memo(written)}),
        search_attributes=SearchAttributes(indexed_fields=attributes),
    )
    request.workflow_type.name = "Entity"
    request.task_queue.name = stage.queue
    return (await stage.client.workflow_service.start_workflow_execution(request)).run_id


STRANGE = {
    "a partition that Kafka cannot have": {"partition": 10**12},
    "a topic of 40 kB": {"topic": "t" * 40_000},
    "a time two hours ahead": {"time": rfc3339(int(time.time() * 1000) + 2 * HOUR_MS)},
    "a correlation id of 1.2 MB": {"correlationid": "c" * 1_200_000},
    "a tracestate of 1.5 MB": {"tracestate": "s" * 1_500_000},
}


@pytest.mark.parametrize("changed", STRANGE.values(), ids=STRANGE.keys())
async def test_a_run_with_a_strange_mark_is_announced_for_no_command_and_holds_no_other(
    kafka: Kafka, feed: Stage, changed: dict[str, Any]
) -> None:
    sound = feed.sibling()
    strange_run = await begin_strange(feed, **changed)
    await feed.terminate()
    sound_run = await sound.begin("cmd")
    await sound.work(COMPLETED)
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 3)
    assert states(data) == [(strange_run, "started"), (strange_run, "terminated"), (sound_run, "completed")]
    assert [one["command_id"] for one in data] == [None, None, "cmd"]


def refused(stage: Stage) -> dict[str, OutRecord]:
    ahead_ms = int(time.time() * 1000) + 2 * HOUR_MS
    return {
        "too large for the client": OutRecord(stage.lifecycle, b"k", b"x" * 3_000_000, ()),
        "too large for the topic": OutRecord(stage.lifecycle, b"k", b"x" * 1_500_000, ()),
        "a timestamp two hours ahead": OutRecord(stage.lifecycle, b"k", b"x", (), ahead_ms),
        "a timestamp that is no number of 64 bits": OutRecord(stage.lifecycle, b"k", b"x", (), 2**70),
    }


@pytest.mark.parametrize(
    "which",
    [
        "too large for the client",
        "too large for the topic",
        "a timestamp two hours ahead",
        "a timestamp that is no number of 64 bits",
    ],
)
async def test_the_owner_stays_the_owner_when_kafka_never_takes_a_record_and_nothing_of_it_is_written(
    kafka: Kafka, feed: Stage, which: str
) -> None:
    sound = OutRecord(feed.lifecycle, b"k", b"{}", ())
    async with Sweeper(kafka, feed).owning() as sweeper:
        await sweeper.ownership.write([sound], "default", 1)
        with pytest.raises(RefusedRecordError):
            await sweeper.ownership.write([sound, refused(feed)[which], sound], "default", 2)
        assert sweeper.ownership.watermark_ms("default") == 1
        await sweeper.ownership.write([sound], "default", 3)
    found = await kafka_side.read_all(kafka.bootstrap, feed.lifecycle)
    assert [one.value for one in found] == [b"{}", b"{}"]


async def test_a_run_whose_records_kafka_never_takes_is_passed_over_and_the_next_ends_are_announced(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.mark.AHEAD_MAX_MS", 10 * HOUR_MS)  # what one line of defence lets through
    before, after = feed.sibling(), feed.sibling()
    runs = []
    for stage, strange in ((before, False), (feed, True), (after, False)):
        run_id = await (
            begin_strange(stage, time=rfc3339(int(time.time() * 1000) + 2 * HOUR_MS)) if strange else stage.begin()
        )
        runs.append(run_id)
        await stage.terminate()
    async with Sweeper(kafka, feed).owning() as sweeper:
        data = await swept(sweeper, kafka, feed, 2)
        assert states(data) == [(runs[0], "terminated"), (runs[2], "terminated")]
        assert not await sweeper.sweep()
        watermark_ms = sweeper.ownership.watermark_ms("default")
        last = feed.sibling()
        await last.begin()
        await last.terminate()
        assert states(await swept(sweeper, kafka, feed, 3))[2][1] == "terminated"
        assert sweeper.ownership.watermark_ms("default") > watermark_ms


async def test_a_run_with_our_mark_alone_is_announced_by_it_once_a_signal_with_start_has_reached_it(
    kafka: Kafka, feed: Stage
) -> None:
    run_id = await begin_strange(feed, in_group=False)
    command = feed.command(Verb.SIGNAL_WITH_START, "reached", rerun=Rerun.ALWAYS, replyto=feed.replies)
    outcome = await feed.do(command, fresh=True)
    assert outcome == Accepted(run_id, of_others=True)
    async with outgoings.opened({"bootstrap_servers": kafka.bootstrap}) as outgoing:
        await outgoing.send(records(command, outcome, group=feed.group, namespace="default", attempts=1))
    async with Sweeper(kafka, feed).owning() as sweeper:
        assert states(await swept(sweeper, kafka, feed, 1)) == [(run_id, "started")]
        await feed.terminate()
        data = await swept(sweeper, kafka, feed, 2)
        assert list(sweeper.ownership.watchlist.of_namespace("default")) == []
    assert states(data) == [(run_id, "started"), (run_id, "terminated")]
    assert [one["command_id"] for one in data] == ["strange", "strange"]
    assert len(await events(kafka, feed)) == 2

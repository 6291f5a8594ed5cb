"""What the sweep leaves to callbacks, and for how long."""

import time
from datetime import timedelta

import pytest

from bridge import mark
from bridge.dispatch.callbackmode import MISSED_MAX, CallbackMode
from bridge.feed import leaving
from bridge.feed.leaving import LEFT_FOR, Leaving
from bridge.feed.visibility import ClosedRun
from bridge.routes import Route, Routes, Verb
from tests.callbacks import caller
from tests.engine import kafka_side, records
from tests.engine.feed_side import Sweeper, events, states, swept
from tests.engine.temporal_side import COMPLETED, Stage
from tests.servers.fixtures import Kafka
from topics.lifecycle import State


def mode() -> CallbackMode:
    return CallbackMode("default", caller.signer("127.0.0.1:9", "g"))


def route(verb: Verb = Verb.START, lifecycle: str = "t.lifecycle") -> Route:
    return Route(command="t", verb=verb, id="w-{id}", workflow="W", task_queue="q", signal="s", lifecycle=lifecycle)


def run(seconds_ago: float = 1, name: str = "1", state: State = State.COMPLETED) -> ClosedRun:
    record = records.record(b'{"id":"1"}', records.binary(type="t"), topic="t")
    closed_ms = int((time.time() - seconds_ago) * 1000)
    memo = mark.memo_text(mark.of(records.command(record, rows=[route()]), "g"))
    return ClosedRun(f"w-{name}", f"run-{name}", state, closed_ms, memo)


def taken(*runs: ClosedRun, of: Route | None = None, by: CallbackMode | None = None) -> list[str]:
    return [one.run_id for one in Leaving(by or mode(), Routes([of or route()])).taken(runs)]


def test_a_young_end_is_left_and_an_older_one_is_not() -> None:
    assert taken(run(1, "young"), run(LEFT_FOR.total_seconds() + 1, "older")) == ["run-older"]


@pytest.mark.parametrize(
    "of", [route(Verb.SIGNAL_WITH_START), route(lifecycle="")], ids=["signal-with-start", "no lifecycle topic"]
)
def test_an_end_that_no_callback_can_tell_of_is_taken_at_once(of: Route) -> None:
    assert taken(run(), of=of) == ["run-1"]


def test_a_run_that_only_continues_is_taken_at_once() -> None:
    assert taken(run(state=State.CONTINUED_AS_NEW)) == ["run-1"]


def test_without_callbacks_everything_is_taken_at_once() -> None:
    assert taken(run(), by=CallbackMode()) == ["run-1"]


def test_what_follows_an_end_that_is_left_is_left_with_it() -> None:
    later = run(0.5, "1", State.CONTINUED_AS_NEW)
    assert taken(run(1, "1"), later, run(0.5, "2", State.CONTINUED_AS_NEW)) == ["run-2"]


def test_the_watermark_stays_behind_what_is_left() -> None:
    now_ms = int(time.time() * 1000)
    judge = Leaving(mode(), Routes([route()]))
    bound_ms = now_ms - LEFT_FOR // timedelta(milliseconds=1)
    assert bound_ms <= judge.until_ms(now_ms) <= bound_ms + 1000
    assert judge.until_ms(bound_ms - 5000) == bound_ms - 5000


def test_ends_that_the_sweep_has_to_tell_make_it_wait_no_longer() -> None:
    doubted = mode()
    judge = Leaving(doubted, Routes([route()]))
    late = [run(LEFT_FOR.total_seconds() + 1, str(number)) for number in range(MISSED_MAX)]
    judge.learn(late, late, late)
    assert not doubted.tells_ends


def test_ends_from_before_the_process_was_there_are_no_sign_of_lost_callbacks() -> None:
    trusted = mode()
    old = [run(3600, str(number)) for number in range(MISSED_MAX)]
    Leaving(trusted, Routes([route()])).learn(old, old, old)
    assert trusted.tells_ends


async def test_an_end_without_its_callback_is_told_by_the_sweep_after_the_time_that_it_was_left_for(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sweeper(kafka, feed, callbacks=mode()).owning() as sweeper:
        run_id = await feed.begin()
        await feed.work(COMPLETED)
        await feed.shown_as_closed(run_id)
        await sweeper.sweep()
        assert await events(kafka, feed) == []
        monkeypatch.setattr(leaving, "LEFT_FOR", timedelta(0))
        assert states(await swept(sweeper, kafka, feed, 1)) == [(run_id, "completed")]


async def test_the_watermark_follows_what_callbacks_have_told(
    kafka: Kafka, feed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "LEFT_FOR", timedelta(0))
    run_id = await feed.begin()
    await feed.work(COMPLETED)
    await feed.shown_as_closed(run_id)
    async with Sweeper(kafka, feed).owning() as sweeper:
        closing = await sweeper.patrol.sweep._lookup.closing(feed.workflow_id, run_id)
        assert closing is not None
        async with kafka_side.producing(kafka.bootstrap) as producer:
            for record in closing.records(with_start=False):
                await producer.send_and_wait(
                    record.topic,
                    record.value,
                    record.key,
                    headers=list(record.headers),
                    timestamp_ms=record.timestamp_ms,
                )
        await sweeper.sweep()
        assert sweeper.patrol.sweep.watermark_ms == closing.end.closed_ms
    assert len(await events(kafka, feed)) == 1

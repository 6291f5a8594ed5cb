"""What a flow does when it is tried again and again, or met by nothing but bad records."""

import random
from datetime import timedelta

import pytest

from bridge import flow as flows
from bridge.dispatch.failures import OverloadedError
from bridge.intake.breaker import BAD_IN_A_ROW_MAX
from bridge.outcome import Accepted
from tests.engine.test_flow import Scene, Server, scene

TOPIC = "invoice.approve"


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the longest pause each time."""
    monkeypatch.setattr(random, "uniform", lambda _, most: most)


def test_pauses_double_up_to_a_bound(longest: None) -> None:
    pauses = [flows._backoff(attempts) for attempts in range(20)]
    assert pauses[0] == flows.BACKOFF_FIRST
    assert pauses == sorted(pauses)
    assert pauses[:4] == [pauses[0] * 2**attempts for attempts in range(4)]
    assert pauses[-1] == flows.BACKOFF_MAX


def test_pauses_of_many_keys_are_spread() -> None:
    pauses = {flows._backoff(20) for _ in range(50)}
    assert len(pauses) > 40
    assert max(pauses) - min(pauses) > flows.BACKOFF_MAX / 10


async def bad_records(told: Scene, count: int) -> None:
    """Let a scene's topic have so many bad records."""
    for _ in range(count):
        told.flow.breaker.bad(TOPIC)


async def test_each_bad_record_counts_towards_the_stop_of_its_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([]), b"{")
    await bad_records(told, BAD_IN_A_ROW_MAX - 1)
    assert await told.work() is None
    assert told.flow.breaker.remaining(TOPIC) > timedelta(0)
    assert TOPIC in told.flow.health.alerts
    assert told.flow.health.ready  # an alert is for a person: the other topics go on


async def test_a_bad_record_of_a_topic_that_has_stopped_waits_and_is_not_dead_lettered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([]), b"{")
    await bad_records(told, BAD_IN_A_ROW_MAX)
    again_after = await told.work()
    assert again_after is not None
    assert again_after > timedelta(seconds=20)
    assert (told.topics, told.watermark.pending) == ([], 1)


async def test_a_sound_record_ends_the_count_and_the_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(monkeypatch, Server([Accepted("r")]))
    await bad_records(told, BAD_IN_A_ROW_MAX - 1)
    told.flow.health.alerts[TOPIC] = "stopped"
    assert await told.work() is None
    assert not told.flow.breaker.bad(TOPIC)
    assert told.flow.health.alerts == {}


async def test_a_server_that_asks_for_less_lowers_the_limit_and_leaves_readiness_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = scene(monkeypatch, Server([OverloadedError("slow down"), Accepted("r")]))
    before = told.flow.admission.limit
    assert await told.work() is not None
    assert told.flow.admission.limit < before
    assert (told.flow.health.ready, told.topics) == (True, [])
    assert await told.work() is None

"""Temporal that is away, or mute: it only delays, and dead-letters nothing."""

import time

import pytest

from tests.faults.ledger import Steady
from tests.faults.reader import REPLIES
from tests.faults.scene import Scene
from tests.faults.untold import swallow_an_answer, untold

pytestmark = pytest.mark.timeout(900)  # the machine may have other work

FLAPS_SECONDS, UP_SECONDS = 120.0, 2.0
ATTEMPTS_MAX = 6  # of a command, on average: each outage of 2 s costs about 4, and most meet none
DEADLINE_SECONDS = 10.0  # of a call
SLOW_SECONDS = 60.0
AWAY_SECONDS, SHORTLY_SECONDS = 300.0, 12.0


@pytest.mark.fault(19)
def test_an_answer_that_is_lost_after_temporal_accepted_doubles_nothing(scene: Scene) -> None:
    (member,) = scene.running()
    work = scene.orders.work()
    scene.ledger.send(work[:300])
    first, *parts = sorted(scene.orders.random.sample(range(50, 900), 5))
    scene.until_answered(min(first, 250))
    swallow_an_answer(scene, "lead", work[300:])
    lost = len(untold(scene, "lead"))
    scene.proxy.reset()
    for part in parts:
        scene.until_answered(part)
        scene.proxy.swallow_answers()
        scene.until(lambda: scene.proxy.swallowed_since, "an answer is swallowed")
        scene.proxy.reset()
    scene.until_settled()
    scene.check(20, in_effect_and_untold=lost, repeated=member.metric("bridge_retries_total", cause="temporal"))


@pytest.mark.fault(17)
def test_temporal_away_under_steady_input_pauses_and_keeps_the_membership(scene: Scene) -> None:
    (member,) = scene.running()
    (joined,) = scene.groups.members(scene.group)
    seconds = AWAY_SECONDS if scene.is_full else SHORTLY_SECONDS
    work = scene.orders.work()
    scene.ledger.send(work[:200])
    scene.until_answered(100)
    scene.proxy.faults.refuse = True
    scene.temporal.kill()
    try:
        with Steady(scene.ledger, work[200:], a_second=800 / seconds) as sending:
            member.wait_not_ready()
            scene.until(lambda: member.metric("bridge_paused_partitions") > 0, "partitions are paused")
            # At the broker: the journal may still be reading what was answered before.
            paused, answers = member.metric("bridge_paused_partitions"), scene.groups.ends([REPLIES])
            is_over = False
            while not is_over:
                is_over = not sending.is_sending  # where the machine is slow it may be so at the first look
                scene.look()
                assert scene.groups.members(scene.group) == {joined}
                assert scene.groups.ends([REPLIES]) == answers
        before = scene.answered()
        waiting = len(scene.ledger.entries) - before
    finally:
        scene.temporal.start()
        scene.temporal.wait_ready()
        scene.proxy.faults.refuse = False
        scene.healed()
    member.wait_ready()
    scene.until_settled()
    assert scene.letters() == 0
    assert scene.groups.members(scene.group) == {joined}
    scene.check(seconds + 30, paused_partitions=paused, answered_before=before, arrived_meanwhile=waiting)


@pytest.mark.fault(18)
@pytest.mark.faults
def test_temporal_that_comes_and_goes_every_two_seconds_is_not_asked_without_end(scene: Scene) -> None:
    (member,) = scene.running()
    work = scene.orders.work(1200)
    cuts = 0
    with Steady(scene.ledger, work, a_second=len(work) / FLAPS_SECONDS) as sending:
        while sending.is_sending:
            scene.proxy.cut()
            cuts += 1
            scene.let_last(UP_SECONDS)
            scene.proxy.reset()
            scene.let_last(UP_SECONDS)
    scene.healed()
    scene.until_settled()
    repeated = member.metric("bridge_retries_total", cause="temporal")
    assert repeated <= ATTEMPTS_MAX * len(work)
    assert scene.letters() == 0
    scene.check(30, cuts=cuts, repeated=repeated)


@pytest.mark.fault(21)
@pytest.mark.faults
def test_a_temporal_that_answers_after_the_deadlines_carries_out_each_command_once_and_in_order(scene: Scene) -> None:
    (member,) = scene.running()
    work = scene.orders.work()
    scene.ledger.send(work[:400])
    scene.until_answered(200)
    end = time.monotonic() + SLOW_SECONDS
    with Steady(scene.ledger, work[400:], a_second=600 / SLOW_SECONDS) as sending:
        while time.monotonic() < end:
            scene.proxy.faults.delay_seconds = scene.orders.random.uniform(DEADLINE_SECONDS / 4, DEADLINE_SECONDS * 1.5)
            scene.let_last(DEADLINE_SECONDS / 2)
        sending.join()
    scene.proxy.reset()
    scene.healed()
    scene.until_settled()
    assert scene.letters() == 0
    scene.check(SLOW_SECONDS + 30, after_the_deadline=member.metric("bridge_retries_total", cause="temporal"))

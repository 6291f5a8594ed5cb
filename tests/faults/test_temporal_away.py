"""Temporal that is away, or mute: it only delays, and dead-letters nothing."""

import pytest

from tests.faults.ledger import Steady
from tests.faults.scene import Scene

AWAY_SECONDS, SHORTLY_SECONDS = 300.0, 12.0


@pytest.mark.fault(19)
def test_an_answer_that_is_lost_after_temporal_accepted_doubles_nothing(scene: Scene) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.orders.work())
    for part in sorted(scene.orders.random.sample(range(50, 900), 5)):
        scene.until_answered(part)
        scene.proxy.swallow_answers()
        scene.until(lambda: scene.proxy.swallowed_since, "an answer is swallowed")
        scene.proxy.reset()
    scene.until_settled()
    scene.check(
        swallowed_answers=scene.proxy.seen.swallowed_answers,
        repeated=member.metric("bridge_retries_total", cause="temporal"),
    )


@pytest.mark.fault(17)
@pytest.mark.timeout(900)
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
            paused, answered = member.metric("bridge_paused_partitions"), scene.answered()
            while sending.is_sending:
                scene.look()
                assert scene.groups.members(scene.group) == {joined}
                assert scene.answered() == answered
        waiting = len(scene.ledger.entries) - scene.answered()
    finally:
        scene.temporal.start()
        scene.temporal.wait_ready()
        scene.proxy.faults.refuse = False
        scene.healed()
    member.wait_ready()
    scene.until_settled()
    assert scene.letters() == 0
    assert scene.groups.members(scene.group) == {joined}
    scene.check(seconds + 30, paused_partitions=paused, answered_before=answered, arrived_meanwhile=waiting)

"""Processes that are asked to end at bad times, and restarts of a group: nothing is redone that was done."""

import signal
import time

import pytest

from tests.faults.ledger import Steady
from tests.faults.member import Member
from tests.faults.rolling import restart_in_turn
from tests.faults.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

DRAIN_SECONDS = 5
LEAVING_SECONDS = 10  # of a process on a machine with other work
EXIT_DRAIN_TIMED_OUT = 4
LONG_SESSION_SECONDS = 20  # a static member is back within it


@pytest.mark.fault(7)
def test_a_process_asked_to_end_while_temporal_is_away_leaves_by_the_deadline_and_commits_nothing_undone(
    scene: Scene,
) -> None:
    member = scene.add(BRIDGE_DRAIN_TIMEOUT=str(DRAIN_SECONDS))
    member.start()
    scene.ledger.send(scene.orders.work())
    scene.until_answered(200)
    scene.proxy.cut()
    scene.until(lambda: member.metric("bridge_retries_total", cause="temporal") > 0, "calls fail")
    unanswered = 1000 - scene.answered()
    began = time.monotonic()
    member.program.process.send_signal(signal.SIGTERM)
    scene.until(lambda: member.said("draining"), "it finishes what it has in hand")
    assert member.terminate() == EXIT_DRAIN_TIMED_OUT, member.program.text  # asked by a person who has no patience
    assert DRAIN_SECONDS <= time.monotonic() - began < DRAIN_SECONDS + LEAVING_SECONDS
    starts = len(member.said("starting"))
    member.begin()
    scene.until(lambda: len(member.said("starting")) > starts, "it starts again")
    began = time.monotonic()
    member.terminate()
    assert time.monotonic() - began < LEAVING_SECONDS  # it has nothing in hand
    scene.proxy.reset()
    scene.healed()
    member.start()
    scene.until_settled()
    scene.check(60, timed_out=len(member.said("drain timed out")), unanswered=unanswered)


def assigned(members: list[Member]) -> int:
    """Return how often partitions were given out, to all of them."""
    return sum(len(member.said("partitions assigned")) for member in members)


@pytest.mark.fault(11)
def test_static_members_that_restart_within_their_session_move_no_partition_of_the_others(scene: Scene) -> None:
    members = [
        scene.add(
            KAFKA_GROUP_INSTANCE_ID=f"{scene.prefix}-{number}",
            KAFKA_SESSION_TIMEOUT_MS=str(LONG_SESSION_SECONDS * 1000),
        )
        for number in range(3)
    ]
    for member in members:
        member.begin()
    for member in members:
        member.wait_ready()
    scene.until(lambda: len(scene.groups.members(scene.group)) == len(members), "all have joined")
    work = scene.orders.work(1200)
    scene.ledger.send(work[:200])
    scene.until_answered(200)
    with Steady(scene.ledger, work[200:], a_second=80) as sending:
        for number, member in enumerate(members, start=1):
            others = [other for other in members if other is not member]
            before = assigned(others)
            scene.until_answered(200 + 100 * number)
            assert member.terminate() == 0, member.program.text
            member.start()
            assert assigned(others) == before
        sending.join()
    scene.until_settled()
    scene.check(LONG_SESSION_SECONDS, restarts=min(len(member.said("drained")) for member in members))
    assert scene.repeats() == 0


@pytest.mark.fault(11)
def test_three_members_that_restart_in_turn_redeliver_nothing(scene: Scene) -> None:
    restart_in_turn(scene, scene.running(3), Steady(scene.ledger, scene.orders.work(1200), a_second=80), 100)


@pytest.mark.fault(45)
def test_a_member_that_is_restarted_with_a_mistake_says_so_in_a_line_and_the_other_goes_on(scene: Scene) -> None:
    steady, other = scene.running(2)
    work = scene.orders.work()
    with Steady(scene.ledger, work, a_second=100) as sending:
        scene.until_answered(200)
        assert other.terminate() == 0, other.program.text
        mistaken = scene.add(BRIDGE_MAX_IN_FLITE="5")
        mistaken.begin()
        assert mistaken.program.wait() == 2
        (told,) = mistaken.said("cannot start")
        assert "BRIDGE_MAX_IN_FLIGHT" in str(told)
        answered = scene.answered()
        scene.until_answered(answered + 100)
        other.start()
        sending.join()
    scene.until_settled()
    scene.check(20, refused=len(mistaken.said("cannot start")))
    assert steady.is_ready()

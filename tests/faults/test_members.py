"""Processes of a group that die, freeze, come and go: nothing lost, nothing doubled, in order, never stuck."""

import time

import pytest

from tests.faults import laws
from tests.faults.ledger import Steady
from tests.faults.member import Member
from tests.faults.rolling import restart_in_turn
from tests.faults.scene import SESSION_SECONDS, TOPICS, Scene

pytestmark = pytest.mark.timeout(900)  # the machine may have other work

KILLS, FEW_KILLS = 20, 5
STORM_SECONDS, SHORT_STORM_SECONDS = 60.0, 15.0
REBALANCES_A_MINUTE_MIN = 10  # some 25 where the machine has nothing else to do


@pytest.mark.fault(1)
def test_kill_9_at_random_moments_loses_nothing_and_doubles_nothing(scene: Scene) -> None:
    (member,) = scene.running()
    in_flight = 0.0
    scene.ledger.send(scene.orders.work())
    for part in sorted(scene.orders.random.sample(range(50, 900), KILLS if scene.is_full else FEW_KILLS)):
        scene.until_answered(part)
        in_flight += member.metric("bridge_in_flight")
        member.kill()
        member.start()
    scene.until_settled()
    scene.check(in_flight_at_kills=in_flight, redelivered=scene.repeats())


@pytest.mark.fault(8)
def test_a_process_that_was_frozen_past_its_session_does_no_harm_when_it_goes_on(scene: Scene) -> None:
    zombie, other = scene.running(2)
    scene.proxy.faults.delay_seconds = 0.02
    scene.ledger.send(scene.orders.work())
    scene.until_answered(100)
    scene.until(lambda: zombie.metric("bridge_in_flight") > 0, "it has commands in flight")
    assigned = len(other.said("partitions assigned"))
    zombie.freeze()
    frozen = time.monotonic()
    try:
        scene.until(lambda: len(other.said("partitions assigned")) > assigned, "the other one has all partitions")
        scene.until(lambda: time.monotonic() - frozen > 2 * SESSION_SECONDS, "twice the session time is over")
    finally:
        zombie.thaw()
    scene.until_settled()
    refused = len(zombie.said("commit failed"))
    scene.check(records_that_both_ran=scene.repeats(), late_commits_refused=refused)


@pytest.mark.fault(10)
def test_members_that_join_and_leave_without_end_stop_nothing(scene: Scene) -> None:
    (steady,) = scene.running()
    others = [scene.add(), scene.add(), scene.add()]
    before = len(steady.said("partitions assigned"))
    seconds = STORM_SECONDS if scene.is_full else SHORT_STORM_SECONDS
    with Steady(scene.ledger, scene.orders.work(), a_second=1000 / seconds) as sending:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            until = time.monotonic() + scene.orders.random.uniform(1, 3)
            join_or_leave(scene.orders.random.choice(others))
            scene.look()
            scene.until(lambda until=until: time.monotonic() > until, "the next one comes or goes")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        sending.join()
    scene.until_settled()
    rebalances = len(steady.said("partitions assigned")) - before
    assert rebalances >= REBALANCES_A_MINUTE_MIN * seconds / 60
    scene.check(rebalances=rebalances)
    assert scene.repeats() == 0


def join_or_leave(member: Member) -> None:
    """Start a member that does not run; ask one that has joined to end."""
    if not member.program.is_running():
        member.begin()
    elif member.is_ready():
        assert member.terminate() == 0, member.program.text


@pytest.mark.fault(11)
@pytest.mark.faults
def test_a_rolling_restart_redelivers_nothing(scene: Scene) -> None:
    restart_in_turn(scene, scene.running(2), Steady(scene.ledger, scene.orders.work(), a_second=120), 200)


@pytest.mark.fault(6)
def test_sigterm_with_256_in_flight_resolves_them_and_redelivers_nothing(scene: Scene) -> None:
    (member,) = scene.running()
    scene.proxy.faults.delay_seconds = 0.2
    scene.ledger.send([*scene.orders.invoices(50), *scene.orders.scores(475, 2)])
    scene.until(lambda: member.metric("bridge_in_flight") >= laws.IN_FLIGHT_MAX, "as many as may be are in flight")
    in_flight = member.metric("bridge_in_flight")
    scene.look()
    assert member.terminate() == 0, member.program.text
    scene.proxy.faults.delay_seconds = 0.0
    answered = scene.answered()
    member.start()
    scene.until_settled()
    scene.check(in_flight=in_flight, answered_before=answered, left_to_the_next=1000 - answered)
    assert scene.repeats() == 0


@pytest.mark.fault(24)
def test_a_group_set_back_to_its_begin_starts_and_signals_nothing_anew(scene: Scene) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.orders.work())
    scene.until_settled()
    assert member.terminate() == 0, member.program.text
    scene.sampler.leaves_out = TOPICS  # the commits fall on purpose
    scene.rewind()
    member.start()
    scene.until(lambda: scene.repeats() >= 1000, "all are answered again")  # how fast is the bench's to say
    scene.until_settled()
    scene.check(redelivered=scene.repeats())

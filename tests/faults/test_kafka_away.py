"""Kafka that is killed, cut off, one-way or slow: it only delays."""

import time

import pytest

from tests.faults import laws
from tests.faults.ledger import Steady
from tests.faults.scene import SESSION_SECONDS, Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

CUT_SECONDS = 60.0
CPU_MAX = 0.1  # of a core, while cut off
ROUNDS = 5
RECOVERY_SECONDS = 30.0  # a consumer that finds nothing asks again, and readiness is told within 10 s
SLOW_DELAY_SECONDS, SLOW_BYTES_A_SECOND = 0.1, 10_000
UNHURRIED_SECONDS = 10  # the session of a deployment that knows its link


@pytest.mark.fault(12)
def test_a_broker_that_is_killed_and_comes_back_loses_nothing_and_doubles_no_event(scene: Scene) -> None:
    members = scene.running(2)
    work = scene.orders.work(1200)
    scene.ledger.send(work[:1000])
    scene.until_answered(scene.orders.random.randrange(50, 300))
    left = 1000 - scene.answered()
    scene.renew_producer()
    scene.kafka.kill()
    for member in members:
        member.wait_not_ready()
    scene.kafka.start()
    scene.kafka.wait_ready()
    scene.healed()
    scene.until_answered(1000)
    scene.ledger.send(work[1000:])
    scene.until_settled()
    scene.check(60, unanswered_at_the_kill=left, told=len(members[0].said("kafka away")))


@pytest.mark.fault(14)
def test_a_network_that_swallows_everything_for_a_minute_and_resets_then_costs_time_alone(scene: Scene) -> None:
    wire = scene.over_the_wire()
    (member,) = scene.running()
    scene.ledger.send(scene.orders.work())
    scene.until_answered(100)
    wire.blackhole()
    swallowed = wire.seen.swallowed_requests
    member.wait_not_ready()
    began, taken = time.monotonic(), member.cpu_seconds()
    scene.let_last(CUT_SECONDS)
    spent = (member.cpu_seconds() - taken) / (time.monotonic() - began)
    wire.reset()
    scene.healed()
    assert spent < CPU_MAX
    scene.until_settled()
    scene.check(CUT_SECONDS + RECOVERY_SECONDS + 10, swallowed=wire.seen.swallowed_requests - swallowed)


@pytest.mark.fault(15)
def test_answers_of_kafka_that_are_lost_double_no_event_and_commit_nothing_early(scene: Scene) -> None:
    wire = scene.over_the_wire()
    (member,) = scene.running(KAFKA_SESSION_TIMEOUT_MS=str(UNHURRIED_SECONDS * 1000))
    scene.ledger.send(scene.orders.work())
    assigned = len(member.said("partitions assigned"))
    swallowed = 0
    for part in sorted(scene.orders.random.sample(range(50, 800), ROUNDS)):
        scene.until_answered(part)
        wire.swallow_answers()
        scene.let_last(SESSION_SECONDS / 4)  # requests arrive
        swallowed += wire.swallowed_since
        wire.reset()
    scene.healed()
    scene.until_settled()
    found = scene.check(30, swallowed_answers=swallowed)
    assert len(member.said("partitions assigned")) == assigned  # else records come again, and so do their events
    assert laws.copies(found) == 0


@pytest.mark.fault(16)
def test_a_slow_link_to_kafka_costs_no_membership(scene: Scene) -> None:
    wire = scene.over_the_wire()
    (member,) = scene.running(KAFKA_SESSION_TIMEOUT_MS=str(UNHURRIED_SECONDS * 1000))
    work = scene.orders.work()
    scene.ledger.send(work[:800])
    scene.until_answered(800)
    assigned = len(member.said("partitions assigned"))
    passed = wire.seen.answers + wire.seen.requests
    wire.faults.delay_seconds, wire.faults.bytes_a_second = SLOW_DELAY_SECONDS, SLOW_BYTES_A_SECOND
    began = time.monotonic()
    with Steady(scene.ledger, work[800:], a_second=5) as sending:
        sending.join()
    scene.until_answered(1000)
    passed = wire.seen.answers + wire.seen.requests - passed
    wire.reset()
    scene.healed()
    scene.until_settled()
    assert len(member.said("partitions assigned")) == assigned
    assert passed <= 2 * SLOW_BYTES_A_SECOND * (time.monotonic() - began)
    scene.check(30, passed=passed)

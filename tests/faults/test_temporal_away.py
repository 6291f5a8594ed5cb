"""Temporal that is away, mute, overloaded or wrongly set up: it only delays, and dead-letters nothing."""

import asyncio
from datetime import timedelta

import temporalio.api.operatorservice.v1 as operatorservice
import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.duration_pb2 import Duration
from temporalio.client import Client

from tests.faults.ledger import Steady
from tests.faults.scene import Scene


def test_an_answer_that_is_lost_after_temporal_accepted_doubles_nothing(scene: Scene) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.work())
    for part in sorted(scene.random.sample(range(50, 900), 5)):
        scene.until_answered(part)
        lost = scene.proxy.seen.swallowed_answers
        scene.proxy.faults.swallow_answers = True
        scene.until(lambda: scene.proxy.seen.swallowed_answers > lost, "an answer is swallowed")
        scene.proxy.reset()
    scene.until_settled()
    scene.check(
        swallowed_answers=scene.proxy.seen.swallowed_answers,
        repeated=member.metric("bridge_retries_total", cause="temporal"),
    )


def test_temporal_away_under_steady_input_pauses_and_keeps_the_membership(scene: Scene) -> None:
    (member,) = scene.running()
    (joined,) = scene.groups.members(scene.group)
    with Steady(scene.ledger, scene.work(), a_second=100) as sending:
        scene.until_answered(200)
        scene.proxy.faults.refuse = True
        scene.temporal.kill()
        try:
            member.wait_not_ready()
            scene.until(lambda: member.metric("bridge_paused_partitions") > 0, "partitions are paused")
            paused, answered = member.metric("bridge_paused_partitions"), scene.answered()
            sending.join()
            scene.look()
            assert scene.groups.members(scene.group) == {joined}
            waiting = len(scene.ledger.entries) - scene.answered()
        finally:
            scene.temporal.start()
            scene.temporal.wait_ready()
            scene.proxy.faults.refuse = False
    member.wait_ready()
    scene.until_settled()
    assert scene.letters() == 0
    assert scene.groups.members(scene.group) == {joined}
    scene.check(30, paused_partitions=paused, answered_before=answered, arrived_meanwhile=waiting)

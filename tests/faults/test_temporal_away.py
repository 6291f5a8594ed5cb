"""Temporal that is away, mute, overloaded or wrongly set up: it only delays, and dead-letters nothing."""

import asyncio
import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
import temporalio.api.operatorservice.v1 as operatorservice
import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge.dev import processes, server
from tests.acceptance.journal import Journal
from tests.faults.ledger import Steady
from tests.faults.proxy import Proxy
from tests.faults.scene import Scene
from tests.servers.fixtures import Kafka, Temporal

pytestmark = pytest.mark.faults

REQUESTS_A_SECOND = 40
GONE_WITHIN_SECONDS = 30


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


def test_temporal_away_under_steady_input_pauses_and_keeps_the_membership(scene: Scene) -> None:
    (member,) = scene.running()
    (joined,) = scene.groups.members(scene.group)
    with Steady(scene.ledger, scene.orders.work(), a_second=100) as sending:
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


def test_a_temporal_that_asks_for_less_gets_less_and_nothing_is_dead_lettered(
    ground: tuple[Kafka, Temporal], journal: Journal, guard: processes.Guard, tmp_path: Path, seed: int
) -> None:
    temporal = Temporal(guard, tmp_path)
    unlimited = temporal.program
    limit = ("--dynamic-config-value", f"frontend.namespaceRPS={REQUESTS_A_SECOND}")
    temporal.start()
    temporal.wait_ready()
    with Proxy(temporal.address) as proxy:
        scene = Scene(seed, ground[0], temporal, proxy, journal, guard, tmp_path)
        try:
            scene.set_up()
            temporal.stop()
            temporal.program = dataclasses.replace(unlimited, argv=(*unlimited.argv, *limit))
            temporal.start()
            temporal.wait_ready()
            with scene.sampler:
                hurt_by_the_limit(scene, unlimited)
        finally:
            scene.close()
            temporal.stop()


def hurt_by_the_limit(scene: Scene, unlimited: server.Program) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.orders.work(250))
    scene.until(lambda: member.metric("bridge_admission_limit") < 128, "the limit falls")
    scene.until_answered(120)
    low, refused = member.metric("bridge_admission_limit"), member.metric("bridge_retries_total", cause="temporal")
    assert member.is_ready()
    scene.temporal.stop()
    scene.temporal.program = unlimited
    scene.temporal.start()
    scene.temporal.wait_ready()
    scene.until_answered(250)
    member.wait_ready()
    before, low = member.metric("bridge_retries_total"), min(low, member.metric("bridge_admission_limit"))
    scene.ledger.send(scene.orders.work(800))
    scene.until_settled()
    assert member.metric("bridge_retries_total") == before
    assert member.metric("bridge_admission_limit") >= 2 * low
    assert scene.letters() == 0
    scene.check(fallen_by=256 - low, refused=refused)


async def test_a_namespace_that_is_gone_stops_the_intake_and_dead_letters_nothing(
    ground: tuple[Kafka, Temporal], journal: Journal, guard: processes.Guard, tmp_path: Path, seed: int
) -> None:
    kafka, temporal = ground
    with Proxy(temporal.address) as proxy:
        scene = Scene(seed, kafka, temporal, proxy, journal, guard, tmp_path, namespace=f"gone-{seed:x}")
        try:
            scene.set_up()
            (member,) = scene.running()
            await remove_namespace(temporal.address, scene.namespace)
            begin = scene.groups.committed(scene.group)
            scene.ledger.send(scene.orders.work())
            with scene.sampler:
                member.wait_not_ready()
                scene.until(lambda: member.metric("bridge_retries_total", cause="configuration") > 0, "it is refused")
                scene.until(lambda: member.metric("bridge_paused_partitions") > 0, "partitions are paused")
                refused = member.metric("bridge_retries_total", cause="configuration")
                assert scene.namespace in member.said("misconfigured")[0]["problem"]
                assert (scene.answered(), scene.letters()) == (0, 0)
                assert scene.groups.committed(scene.group) == begin
                scene.apply()
                member.wait_ready(60)
                scene.until_settled()
                assert scene.letters() == 0
                scene.check(40, refused=refused)
        finally:
            scene.close()


async def remove_namespace(address: str, name: str) -> None:
    """Delete a namespace, and wait until the server's frontend knows of it."""
    client = await Client.connect(address, namespace=name)
    await client.operator_service.delete_namespace(operatorservice.DeleteNamespaceRequest(namespace=name))
    request = workflowservice.CountWorkflowExecutionsRequest(namespace=name)
    async with asyncio.timeout(GONE_WITHIN_SECONDS):
        while True:
            try:
                await client.workflow_service.count_workflow_executions(request, timeout=timedelta(seconds=5))
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return
            await asyncio.sleep(0.2)

"""Temporal that asks for less, denies permission, or has lost the namespace: nothing is dead-lettered."""

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import temporalio.api.operatorservice.v1 as operatorservice
import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge.dev import processes
from tests.acceptance.journal import Journal
from tests.faults.adjustable import Adjustable
from tests.faults.ledger import Steady
from tests.faults.proxy import Proxy
from tests.faults.scene import Scene
from tests.servers.fixtures import Kafka, Temporal

pytestmark = pytest.mark.timeout(900)  # the machine may have other work

REQUESTS_A_SECOND = 10  # the server's limit
COMMANDS_A_SECOND = 25
OVERLOAD_SECONDS = 60
RECOVERED = 0.9
DENIED_SECONDS = 40
GONE_WITHIN_SECONDS = 30


def rate(scene: Scene) -> float:
    """Send 500 commands and return how many of them are carried out a second."""
    had, began = scene.answered(), time.monotonic()
    scene.ledger.send(scene.orders.work(500))
    scene.until_answered(had + 500)
    return 500 / (time.monotonic() - began)


@pytest.mark.fault(20)
@pytest.mark.alone
@pytest.mark.faults
def test_a_temporal_that_asks_for_less_gets_less_and_then_as_much_as_before(
    own_scene: Scene, adjustable: Adjustable
) -> None:
    scene = own_scene
    (member,) = scene.running()
    clean = statistics.median(rate(scene) for _ in range(3))
    adjustable.restart_with(f"frontend.namespaceRPS={REQUESTS_A_SECOND}")
    had = scene.answered()
    work = scene.orders.work(OVERLOAD_SECONDS * COMMANDS_A_SECOND)
    with Steady(scene.ledger, work, COMMANDS_A_SECOND) as sending:
        scene.until(lambda: member.metric("bridge_admission_limit") < 128, "the limit falls")
        sending.join()
    limited = (scene.answered() - had) / OVERLOAD_SECONDS
    low, refused = member.metric("bridge_admission_limit"), member.metric("bridge_retries_total", cause="temporal")
    adjustable.restart_with()
    scene.until_settled(300)
    recovered = statistics.median(rate(scene) for _ in range(3))
    assert member.metric("bridge_admission_limit") >= 2 * low
    assert member.terminate() == 0, member.program.text
    member.start()
    fresh = statistics.median(rate(scene) for _ in range(3))  # of one that never met the limit, on this machine now
    scene.until_settled()
    assert scene.letters() == 0
    print(f"{clean:.0f} a second, {limited:.0f} under the limit, {recovered:.0f} after it, {fresh:.0f} anew")  # noqa: T201 - shown where the test fails, or with -s
    assert recovered >= RECOVERED * min(clean, fresh)
    scene.check(OVERLOAD_SECONDS, fallen_by=256 - low, refused=refused, slowed_by=clean - 2 * limited)


@pytest.mark.fault(22)
@pytest.mark.faults
def test_a_temporal_that_denies_permission_stops_the_intake_and_dead_letters_nothing(
    own_scene: Scene, adjustable: Adjustable
) -> None:
    scene = own_scene
    scene.approve_by_update()  # it is the one request that a server without accounts can be told to deny
    adjustable.restart_with("frontend.enableUpdateWorkflowExecution=false")
    (member,) = scene.running()
    invoices = scene.orders.invoices(100, note="9")
    scene.ledger.send(invoices)
    scene.until_settled()
    begin = scene.groups.committed(scene.group)
    scene.ledger.send([one for _ in range(9) for invoice in invoices for one in scene.orders.approvals(invoice.key, 1)])
    member.wait_not_ready()
    scene.until(lambda: member.metric("bridge_paused_partitions") > 0, "partitions are paused")
    # How many keys were taken before the intake stopped is chance: each of them tries again every five seconds.
    first = member.metric("bridge_retries_total", cause="configuration")
    scene.let_last(DENIED_SECONDS)
    refused = member.metric("bridge_retries_total", cause="configuration")
    assert refused > 2 * first
    assert "PERMISSION_DENIED" in member.said("misconfigured")[0]["problem"]
    assert not member.is_ready()
    assert (scene.answered(), scene.letters()) == (100, 0)
    assert scene.groups.committed(scene.group) == begin
    adjustable.restart_with()
    member.wait_ready()
    scene.until_settled()
    assert scene.letters() == 0
    found = scene.check(DENIED_SECONDS + 30, refused=refused)
    assert sum(run.closed for run in found.runs) == 100


@pytest.mark.fault(22)
@pytest.mark.faults
async def test_a_namespace_that_is_gone_stops_the_intake_and_dead_letters_nothing(
    ground: tuple[Kafka, Temporal],
    journal: Journal,
    guard: processes.Guard,
    tmp_path: Path,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    kafka, temporal = ground
    gone = f"gone-{seed:x}"
    with Proxy(temporal.address) as proxy:
        scene = Scene(seed, kafka, temporal, proxy, journal, guard, tmp_path, namespace=gone, note=record_property)
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
                member.wait_ready()
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

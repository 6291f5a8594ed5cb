"""Three brokers: leaders and the group's coordinator move, and nothing is lost, doubled or committed early."""

from collections.abc import Callable, Iterator
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from bridge.dev import kafka as dev_kafka
from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.conftest import OUTCOMES
from tests.acceptance.journal import Journal
from tests.acceptance.program import Program
from tests.faults.cluster import Cluster
from tests.faults.entities import FINANCE, Workers
from tests.faults.ledger import Steady
from tests.faults.proxy import Proxy
from tests.faults.scene import SETTLED_WITHIN_SECONDS, Scene
from tests.servers import backed
from tests.servers.fixtures import Temporal

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

ASK_SECONDS = 20.0


@pytest.fixture
def cluster(guard: processes.Guard, tmp_path: Path) -> Iterator[Cluster]:
    if not backed.is_contained() and dev_kafka.find().docker:
        pytest.skip("three containers do not reach each other here: Java is needed, or --servers=containers")
    cluster = Cluster(guard, tmp_path)
    cluster.start()
    cluster.wait_ready()
    yield cluster
    cluster.stop()


@pytest.fixture
def spread(
    cluster: Cluster,
    guard: processes.Guard,
    tmp_path: Path,
    seed: int,
    record_property: Callable[[str, object], None],
) -> Iterator[Scene]:
    """Give a scene on three brokers."""
    temporal = Temporal(guard, tmp_path)
    temporal.start()
    temporal.wait_ready()
    env = program.environment(KAFKA_BOOTSTRAP_SERVERS=cluster.bootstrap, TEMPORAL_ADDRESS=temporal.address)
    setup = Program(guard, tmp_path, env, "setup", "apply")
    assert setup.run(within=SETTLED_WITHIN_SECONDS) == 0, setup.text
    with (
        Journal(cluster.bootstrap, OUTCOMES) as journal,
        Workers(temporal.address, [FINANCE]),
        Proxy(temporal.address) as proxy,
    ):
        scene = Scene(seed, cluster, temporal, proxy, journal, guard, tmp_path, note=record_property)
        try:
            scene.set_up()
            with scene.sampler:
                yield scene
        finally:
            scene.close()
            temporal.stop()


def asking(scene: Scene) -> AdminClient:
    """Return a client that knows no broker yet; to be kept until it has answered.

    One that has asked a broker which is gone now may get no answer again.
    """
    return AdminClient({"bootstrap.servers": scene.kafka.bootstrap})


def coordinator(scene: Scene) -> int | None:
    """Return the broker that keeps the group's offsets; None while none is known."""
    client = asking(scene)
    (answer,) = client.describe_consumer_groups([scene.group]).values()
    try:
        return int(answer.result(ASK_SECONDS).coordinator.id)
    except (confluent_kafka.KafkaException, TimeoutError):
        return None


def leaders(scene: Scene) -> list[int | None]:
    """Return who leads each partition of the command topic; nothing while nobody answers."""
    client = asking(scene)
    (answer,) = client.describe_topics(TopicCollection(["lead.score"])).values()
    try:
        return [part.leader.id if part.leader else None for part in answer.result(ASK_SECONDS).partitions]
    except (confluent_kafka.KafkaException, TimeoutError):
        return []


@pytest.mark.fault(13)
def test_leaders_and_the_coordinator_that_move_to_other_brokers_cost_time_alone(
    spread: Scene, cluster: Cluster
) -> None:
    scene = spread
    members = scene.running(2)
    first = coordinator(scene)
    assert first is not None
    leads = leaders(scene).count(first)
    work = scene.orders.work(1200)
    scene.ledger.send(work[:800])
    scene.until_answered(200)
    others = [{node for node in cluster.nodes if node != first}]
    others += [{node} for node in others[0]]
    scene.renew_producer()
    cluster.nodes[first].kill()
    scene.until(lambda: set(leaders(scene)) in others, "the other two lead")
    scene.until(lambda: {coordinator(scene)} in others, "another one coordinates")
    scene.healed()
    with Steady(scene.ledger, work[800:], a_second=50) as sending:
        sending.join()
    scene.until_answered(1000)
    scene.renew_producer()
    cluster.nodes[first].start()
    cluster.nodes[first].wait_ready()
    scene.until_settled()
    scene.check(40, leaders_that_moved=leads, coordinators_that_moved=1)
    assert all(member.is_ready() for member in members)

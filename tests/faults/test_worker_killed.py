"""A worker that dies when it has told of an event, before Temporal knows: the event comes again, the same."""

import pytest

from tests.acceptance import program
from tests.acceptance.journal import Record
from tests.acceptance.program import Program
from tests.faults.proxy import Proxy
from tests.faults.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

SCORED = "lead.scored"
KILLS = 3
TOLD_WITHIN_SECONDS = 400.0  # an attempt that was lost is repeated after 45 s, and the machine may have other work


def told(scene: Scene) -> list[Record]:
    """Return what the workers told of the scene's leads, copies included."""
    begin = scene.prefix.encode()
    return scene.journal.records(
        lambda one: one.topic == "lead.events" and (one.key or b"").startswith(begin) and one.type == SCORED
    )


def kill_when_something_is_told_and_not_known(scene: Scene, worker: Program, link: Proxy) -> None:
    """Swallow what the worker says to Temporal until another event is on Kafka; kill it then."""
    link.faults.swallow_requests = True
    before = len(told(scene))
    scene.until(lambda: len(told(scene)) > before, "an event is told of")
    worker.kill()
    link.reset()
    worker.start()


@pytest.mark.fault(43)
def test_an_event_that_a_killed_worker_had_told_of_is_told_again_with_the_same_id_and_bytes(own_scene: Scene) -> None:
    scene = own_scene
    with Proxy(scene.temporal.address) as link:
        env = program.environment(
            KAFKA_BOOTSTRAP_SERVERS=scene.kafka.bootstrap,
            TEMPORAL_ADDRESS=link.address,
            WORKERS_DATABASE_URL=f"sqlite+aiosqlite:///{scene.folder / 'workers.db'}",
        )
        worker = Program(scene.guard, scene.folder, env, "worker", "--queue", "leads")
        worker.start()
        scene.running()
        sent = scene.orders.scores(200, 5)
        scene.ledger.send(sent)
        for part in range(KILLS):
            scene.until(lambda part=part: len(told(scene)) > 150 * (part + 1), "some are told of")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            kill_when_something_is_told_and_not_known(scene, worker, link)
        wanted = {command.id for command in sent}
        scene.until(
            lambda: {one.data["command_id"] for one in told(scene)} >= wanted, "all are told of", TOLD_WITHIN_SECONDS
        )
        scene.until_settled()
        events = {(one.id, one.value, one.key) for one in told(scene)}
        assert len(events) == len({one.id for one in told(scene)}) == len(wanted)
        scene.check(60, copies=len(told(scene)) - len(events))
        assert worker.terminate() == 0, worker.text

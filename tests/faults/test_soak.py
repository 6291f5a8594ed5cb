"""A random mix of faults under steady load: two bridges, two worker processes, all laws, and no memory that grows."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from tests.acceptance import program
from tests.acceptance.program import Program
from tests.faults.ledger import Steady
from tests.faults.member import Member
from tests.faults.scene import Scene

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
A_SECOND = 50
LEADS = 300
PAUSE_SECONDS = (4.0, 12.0)
MEMORY_AFTER_SECONDS = min(300.0, MINUTES * 60 / 3)
MEMORY_MAX = 1.1  # of what it was then
SAMPLE_SECONDS = 1.0  # at 100 ms the counting would be most of the load
STALL_MAX_SECONDS = 60.0

pytestmark = [pytest.mark.faults, pytest.mark.alone, pytest.mark.timeout(MINUTES * 60 + 1200)]


@dataclass
class Mix:
    """What may happen to whom; `steady` keeps its process from beginning to end, since its memory is watched."""

    scene: Scene
    steady: Member
    other: Member
    workers: list[Program]
    made: Counter[str] = field(default_factory=Counter)

    def one(self) -> None:
        """Make one fault, drawn by the seed."""
        name, fault = self.scene.orders.random.choice(FAULTS)
        fault(self)
        self.made[name] += 1

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.scene.until(lambda: time.monotonic() >= end, "the time is over", seconds + 5)


def kill(mix: Mix) -> None:
    mix.other.kill()
    mix.other.begin()


def restart(mix: Mix) -> None:
    mix.other.wait_ready()  # before it knows what SIGTERM means to it, it just ends
    assert mix.other.terminate() == 0, mix.other.program.text
    mix.other.begin()


def freeze(mix: Mix) -> None:
    mix.other.freeze()
    mix.wait(4)
    mix.other.thaw()


def cut_temporal(mix: Mix) -> None:
    mix.scene.proxy.cut()
    mix.wait(3)
    mix.scene.proxy.reset()


def lose_answers_of_temporal(mix: Mix) -> None:
    mix.scene.proxy.swallow_answers()
    mix.wait(2)
    mix.scene.proxy.reset()


def cut_kafka(mix: Mix) -> None:
    mix.scene.wire.cut()
    mix.wait(3)
    mix.scene.wire.reset()


def swallow_kafka(mix: Mix) -> None:
    mix.scene.wire.blackhole()
    mix.wait(4)
    mix.scene.wire.reset()


def kill_a_worker(mix: Mix) -> None:
    worker = mix.scene.orders.random.choice(mix.workers)
    worker.kill()
    worker.start()


def poison(mix: Mix) -> None:
    mix.scene.poison("lead.score", 3, [f"{mix.scene.prefix}-bad"])


FAULTS: tuple[tuple[str, Callable[[Mix], None]], ...] = (
    ("kill -9", kill),
    ("SIGTERM", restart),
    ("frozen", freeze),
    ("Temporal cut", cut_temporal),
    ("Temporal's answers lost", lose_answers_of_temporal),
    ("Kafka cut", cut_kafka),
    ("Kafka swallowed", swallow_kafka),
    ("worker killed", kill_a_worker),
    ("bad records", poison),
)


@contextmanager
def worker_processes(scene: Scene) -> Iterator[list[Program]]:
    """Give two processes of the real workers, for the leads."""
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=scene.kafka.bootstrap,
        TEMPORAL_ADDRESS=scene.temporal.address,
        WORKERS_DATABASE_URL=f"sqlite+aiosqlite:///{scene.folder / 'workers.db'}",
    )
    with ExitStack() as stack:
        started = []
        for number in range(2):
            folder = scene.folder / f"worker-{number}"
            folder.mkdir()
            worker = Program(scene.guard, folder, env, "worker", "--queue", "leads")
            worker.start()
            stack.callback(worker.kill)
            started.append(worker)
        yield started


@pytest.mark.fault(46)
def test_a_random_mix_of_faults_keeps_all_laws_and_lets_no_memory_grow(own_scene: Scene) -> None:
    scene = own_scene
    scene.sampler.every_seconds = SAMPLE_SECONDS
    scene.over_the_wire()
    count = int(MINUTES * 60 * A_SECOND)
    resident: list[tuple[float, int]] = []
    with worker_processes(scene) as workers:
        steady, other = scene.running(2)
        mix = Mix(scene, steady, other, workers)
        work = scene.orders.work(count, invoices=count // 20, leads=LEADS)
        began = time.monotonic()
        with Steady(scene.ledger, work, A_SECOND) as sending:
            while sending.is_sending:
                mix.one()
                mix.wait(scene.orders.random.uniform(*PAUSE_SECONDS))
                scene.look()
                resident.append((time.monotonic() - began, steady.usage().resident_bytes))
                if not other.program.is_running():
                    other.begin()
        scene.healed()
        scene.until_settled(300)
        resident.append((time.monotonic() - began, steady.usage().resident_bytes))
    early = next(size for at, size in resident if at >= MEMORY_AFTER_SECONDS)
    print(f"{dict(mix.made)}, {early >> 20} MiB, {resident[-1][1] >> 20} MiB at the end")  # noqa: T201 - shown where the test fails, or with -s
    scene.check(STALL_MAX_SECONDS, **{f"made_{number}": made for number, made in enumerate(mix.made.values())})
    assert resident[-1][1] <= MEMORY_MAX * early

"""A random mix of faults under steady load: two bridges, two worker processes, all laws, and no memory that grows."""

import os
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from tests.acceptance import program
from tests.acceptance.producer import Command
from tests.acceptance.program import Program
from tests.faults import member
from tests.faults.ledger import Steady
from tests.faults.member import Member
from tests.faults.proxy import Proxy
from tests.faults.scene import Scene

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
A_SECOND = 50
SLOWER_MAX = 1.05
PORTION_SECONDS = 30
# A portion: runs that end at once, runs that wait for approvals, and leads. Not leads alone: of commands that have an
# activity each, the development server takes fewer than 50 a second.
ENDING, WAITING, APPROVALS, LEADS, SCORES = 92, 38, 25, 140, 3
assert ENDING + WAITING * (1 + APPROVALS) + LEADS * SCORES == PORTION_SECONDS * A_SECOND
PAUSE_SECONDS = (4.0, 12.0)
MEMORY_AFTER_SECONDS = min(300.0, MINUTES * 60 / 3)
MEMORY_OVER_SECONDS = min(60.0, MINUTES * 60 / 6)  # what is compared are medians: one look is chance
MEMORY_MAX = 1.1  # of what it was then
LOOK_SECONDS = 1.0
SAMPLE_SECONDS = 1.0  # at 100 ms the counting would be most of the load
STALL_MAX_SECONDS = 60.0
ENDED = {0, 4}  # a server that is behind may answer what is in hand too late for the drain: then it comes again
LONG_MINUTES = 15  # in less some kinds may not be drawn, and the workers' caches still fill after a third of it

pytestmark = [pytest.mark.faults, pytest.mark.alone, pytest.mark.timeout(MINUTES * 120 + 1500)]


@dataclass
class Mix:
    """What may happen to whom; nothing does to the first of the bridges and of the workers: their memory is watched."""

    scene: Scene
    steady: Member
    other: Member
    workers: list[Program]
    began: float = field(default_factory=time.monotonic)
    made: Counter[str] = field(default_factory=Counter)
    resident: defaultdict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    looked: float = 0.0

    def one(self) -> None:
        """Make one fault, drawn by the seed, and note by how much it hit."""
        name, fault = self.scene.orders.random.choice(FAULTS)
        self.made[name] += fault(self)

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.scene.until(lambda: self.look() >= end, "the time is over", seconds + 5)

    def look(self) -> float:
        """Note once a second what the steady processes take; return the time."""
        now = time.monotonic()
        if now - self.looked >= LOOK_SECONDS:
            self.looked = now
            for name, watched in (("bridge", self.steady.program), ("worker", self.workers[0])):
                assert watched.is_running(), f"{name} ended by itself: {watched.text}"
                self.resident[name].append((now - self.began, member.resident_bytes(watched.process.pid)))
        return now

    def memory(self) -> Mapping[str, tuple[float, float]]:
        """Return what each of them took early and late, both under load, as MiB."""
        return {
            name: (typical(sizes, MEMORY_AFTER_SECONDS), typical(sizes, sizes[-1][0] - MEMORY_OVER_SECONDS))
            for name, sizes in self.resident.items()
        }


def typical(sizes: list[tuple[float, int]], begin: float) -> float:
    return statistics.median(size for at, size in sizes if begin <= at <= begin + MEMORY_OVER_SECONDS) / 2**20


def kill(mix: Mix) -> int:
    mix.other.kill()
    mix.other.begin()
    return 1


def restart(mix: Mix) -> int:
    mix.other.wait_ready()  # before it knows what SIGTERM means to it, it just ends
    assert mix.other.terminate() in ENDED, mix.other.program.text
    mix.other.begin()
    return 1


def freeze(mix: Mix) -> int:
    mix.other.freeze()
    mix.wait(4)
    mix.other.thaw()
    return 1


def cut_temporal(mix: Mix) -> int:
    return cut(mix, mix.scene.proxy)


def cut_kafka(mix: Mix) -> int:
    return cut(mix, mix.scene.wire)


def cut(mix: Mix, proxy: Proxy) -> int:
    """Refuse who comes, and return how many were."""
    refused = proxy.seen.refused
    proxy.cut()
    mix.wait(3)
    proxy.reset()
    return proxy.seen.refused - refused


def lose_answers_of_temporal(mix: Mix) -> int:
    mix.scene.proxy.swallow_answers()
    mix.wait(2)
    mix.scene.proxy.reset()
    return mix.scene.proxy.swallowed_since


def swallow_kafka(mix: Mix) -> int:
    swallowed = mix.scene.wire.seen.swallowed_requests
    mix.scene.wire.blackhole()
    mix.wait(4)
    mix.scene.wire.reset()
    return mix.scene.wire.seen.swallowed_requests - swallowed


def kill_a_worker(mix: Mix) -> int:
    mix.workers[1].kill()
    mix.workers[1].start()
    return 1


def poison(mix: Mix) -> int:
    return len(mix.scene.poison("lead.score", 3, [f"{mix.scene.prefix}-bad"]))


FAULTS: tuple[tuple[str, Callable[[Mix], int]], ...] = (
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


def portions(scene: Scene) -> Iterator[Command]:
    """Yield the commands, those of a portion mixed among each other.

    A cached workflow takes the more memory the longer its history is, and a worker keeps 500 of them. So each portion
    has leads of its own: after a few minutes a worker holds 500 that are done, and what it takes stays as it is.
    """
    for _ in range(int(MINUTES * 60 / PORTION_SECONDS)):
        waiting = scene.orders.invoices(WAITING, note=str(APPROVALS))
        approvals = [one for each in waiting for one in scene.orders.approvals(each.key, APPROVALS)]
        mixed = [*approvals, *scene.orders.invoices(ENDING), *scene.orders.scores(LEADS, SCORES)]
        scene.orders.random.shuffle(mixed)
        yield from (*waiting, *mixed)


@pytest.mark.fault(46)
def test_a_random_mix_of_faults_keeps_all_laws_and_lets_no_memory_grow(own_scene: Scene) -> None:
    scene = own_scene
    scene.sampler.every_seconds = SAMPLE_SECONDS
    scene.over_the_wire()
    with worker_processes(scene) as workers:
        steady, other = scene.running(2)
        work = list(portions(scene))
        mix = Mix(scene, steady, other, workers)
        with Steady(scene.ledger, work, A_SECOND) as sending:
            while sending.is_sending:
                mix.one()
                mix.wait(scene.orders.random.uniform(*PAUSE_SECONDS))
                if not other.program.is_running():
                    other.begin()
        took = time.monotonic() - mix.began
        scene.healed()
        scene.until_settled(max(300.0, MINUTES * 60))  # a bound; how long it may take is a law
        assert all(worker.is_running() for worker in workers)
    memory = mix.memory()
    print(f"{dict(mix.made)}, {len(work) / took:.0f} a second, MiB early and late: {memory}")  # noqa: T201 - shown where the test fails, or with -s
    wanted = [name for name, _ in FAULTS] if MINUTES >= LONG_MINUTES else mix.made
    scene.check(STALL_MAX_SECONDS, **{name: mix.made[name] for name in wanted})
    assert took <= MINUTES * 60 * SLOWER_MAX + sum(PAUSE_SECONDS)  # the last pause may begin when all is sent
    steady_by_then = memory if MINUTES >= LONG_MINUTES else {"bridge": memory["bridge"]}
    assert {name: late for name, (early, late) in steady_by_then.items() if late > MEMORY_MAX * early} == {}

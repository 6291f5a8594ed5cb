"""20,000 signals on one lead of the real workers, over its continue-as-news and a group that is set back."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.dev import processes
from tests.acceptance import commands, program
from tests.acceptance.journal import Journal, Record
from tests.acceptance.producer import Command
from tests.acceptance.program import Program
from tests.faults.evidence import Evidence
from tests.faults.member import Member
from tests.faults.proxy import Proxy
from tests.faults.scene import Scene
from tests.servers.fixtures import Kafka, Temporal

pytestmark = [pytest.mark.fault(3, 24), pytest.mark.faults, pytest.mark.alone, pytest.mark.timeout(2400)]

SIGNALS = 20_000
AHEAD = 300  # as a producer that keeps pace: what is older than 5 s is looked for on earlier runs
CONTINUED_MIN = 3
WITHIN_SECONDS = 1200.0  # each signal is a write of the development server, and comes twice
SCORED = "lead.scored"


@pytest.fixture
def alone(
    ground: tuple[Kafka, Temporal],
    journal: Journal,
    guard: processes.Guard,
    tmp_path: Path,
    seed: int,
    record_property: Callable[[str, object], None],
) -> Iterator[Scene]:
    """Give a scene on a Temporal of its own: the other scenes' leads are none of the real workflow's.

    It takes no samples on: they would count all answers ten times a second, which is most of the machine's time here.
    """
    temporal = Temporal(guard, tmp_path)
    temporal.start()
    temporal.wait_ready()
    with Proxy(temporal.address) as proxy:
        scene = Scene(seed, ground[0], temporal, proxy, journal, guard, tmp_path, note=record_property)
        scene.set_up()
        with scene.sampler:
            pass
        try:
            yield scene
        finally:
            scene.close()
            temporal.stop()


def the_worker(scene: Scene) -> Program:
    env = program.environment(
        KAFKA_BOOTSTRAP_SERVERS=scene.kafka.bootstrap,
        TEMPORAL_ADDRESS=scene.temporal.address,
        WORKERS_DATABASE_URL=f"sqlite+aiosqlite:///{scene.folder / 'workers.db'}",
    )
    return Program(scene.guard, scene.folder, env, "worker", "--queue", "leads")


def told(scene: Scene, lead: str) -> list[Record]:
    """Return what the workers told of the lead, copies included."""
    key = lead.encode()
    found = scene.journal.records(lambda one: one.topic == "lead.events" and one.key == key)
    return [record for record in found if record.type == SCORED]


def check_counts(scene: Scene, lead: str, found: Evidence) -> dict[str, int]:
    """Hold the counts of the histories and of the events against what was sent; return them."""
    signals = Counter(effect.cid for effect in found.effects if effect.what == "signalled")
    events = {record.id: record.data["command_id"] for record in told(scene, lead)}
    sent = [entry.cid for entry in found.entries]
    assert (signals, Counter(events.values())) == (Counter(sent), Counter(sent))
    return {
        "signals in all histories": signals.total(),
        "runs": len(found.runs),
        "lead.scored": len(events),
        "copies of lead.scored": len(told(scene, lead)) - len(events),
    }


def until_handled(scene: Scene, member: Member, count: int) -> None:
    """Wait until a start of a process has told of so many outcomes."""
    scene.until(lambda: member.metric("bridge_commands_total") >= count, f"{count} outcomes", WITHIN_SECONDS)
    scene.look()


def test_20_000_signals_over_continue_as_news_and_a_group_reset_stay_exact(alone: Scene) -> None:
    scene = alone
    lead = f"{scene.prefix}-lead"
    sent = [Command("lead.score", commands.lead(lead).data, id=f"{scene.prefix}-{n:05}") for n in range(SIGNALS)]
    (member,) = scene.running()
    worker = the_worker(scene)
    worker.start()
    began = time.monotonic()
    for begin in range(0, SIGNALS, AHEAD // 2):
        until_handled(scene, member, begin - AHEAD // 2)
        scene.ledger.send(sent[begin : begin + AHEAD // 2])
    until_handled(scene, member, SIGNALS)
    scene.until_settled()
    first = time.monotonic() - began
    assert member.terminate() == 0, member.program.text
    scene.rewind()
    member.start()
    began = time.monotonic()
    until_handled(scene, member, SIGNALS)
    scene.until_settled()
    again = time.monotonic() - began
    scene.until(lambda: len({one.id for one in told(scene, lead)}) >= SIGNALS, "all are told of")
    found = scene.check(redelivered=scene.repeats())
    figures = check_counts(scene, lead, found)
    assert figures["runs"] > CONTINUED_MIN
    assert worker.terminate() == 0, worker.text
    print(f"{figures}, {first:.0f} s, again {again:.0f} s")  # noqa: T201 - shown with -s, and where the test fails

"""Much at once: dead letters that no topic would hold, and a backlog of a million."""

import contextlib
import json
import time
from collections.abc import Iterator

import confluent_kafka
import pytest

from tests.acceptance import commands
from tests.faults import laws, reader
from tests.faults.ledger import Entry
from tests.faults.scene import Scene
from tests.faults.test_topics_change import TOPIC, configure, truncate

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

LARGE_BYTES, HELD_BYTES = 300_000, 100_000
BACKLOG, FILLERS = 1_000_000, 1000
FIRST_WITHIN_SECONDS = 5.0
WATCHED_SECONDS = 30.0


def large(scene: Scene, count: int) -> list[Entry]:
    """Send bad records with a large value and a large header."""
    sent = []
    for number in range(count):
        cid = f"{scene.prefix}-large{number}"
        headers = [("ce_specversion", b"1.0"), ("ce_id", cid.encode()), ("ce_source", b"/faults"),
                   ("ce_type", TOPIC.encode()), ("note", b"n" * LARGE_BYTES)]  # fmt: skip
        sent.append(scene.ledger.send_poison(cid, TOPIC, cid, b"{" * LARGE_BYTES, headers))
    return sent


@pytest.mark.fault(30)
def test_a_dead_letter_that_its_topic_does_not_hold_is_held_and_told_of_until_the_topic_takes_it_whole(
    scene: Scene,
) -> None:
    configure(scene, f"{TOPIC}.dlq", max_message_bytes=str(HELD_BYTES))
    try:
        (member,) = scene.running()
        work = scene.orders.work()
        scene.ledger.send(work[:500])
        bad = large(scene, 5)
        scene.ledger.send(work[500:])
        scene.until_answered(1000)
        member.wait_not_ready()
        refused = len(member.said("topic refuses"))
        assert scene.letters() == 0
    finally:
        configure(scene, f"{TOPIC}.dlq", max_message_bytes=str(2 * 1024 * 1024))
    scene.healed()
    member.wait_ready()
    scene.until_settled()
    found = scene.check(60, refused=refused)
    assert {letter.place for letter in found.letters} == {entry.place for entry in bad}
    places = {entry.place for entry in bad}
    kept = scene.journal.records(lambda one: one.topic == f"{TOPIC}.dlq" and reader.place(one) in places)
    assert [len(one.value or b"") for one in kept] == [LARGE_BYTES] * len(bad)


@contextlib.contextmanager
def filled(scene: Scene) -> Iterator[None]:
    """Put a million records behind what lies there, as fast as a client can; nobody after us has to read them."""
    try:
        fill(scene)
        yield
    finally:
        truncate(scene, TOPIC)


def fill(scene: Scene) -> None:
    writer = confluent_kafka.Producer(
        {
            "bootstrap.servers": scene.kafka.bootstrap,
            "compression.type": "lz4",
            "linger.ms": 50,
            "queue.buffering.max.messages": BACKLOG,
        }
    )
    names = [f"filler-{scene.prefix}-{number}" for number in range(FILLERS)]  # none of the ledger's
    values = [(name.encode(), json.dumps(commands.lead(name).data).encode()) for name in names]
    for number in range(BACKLOG):
        key, value = values[number % FILLERS]
        writer.produce(TOPIC, value, key)
        if number % 10_000 == 0:
            writer.poll(0)
    assert writer.flush(120) == 0


@pytest.mark.fault(36)
@pytest.mark.alone
def test_a_cold_start_before_a_backlog_of_a_million_answers_soon_and_stays_small(scene: Scene) -> None:
    scene.ledger.send(scene.orders.scores(100, 10))
    with filled(scene):
        backlog = sum(end - scene.begins[place] for place, end in scene.groups.ends([TOPIC]).items())
        member = scene.add()
        member.start()
        began = time.monotonic()
        scene.until(lambda: scene.answered() > 0, "the first one is answered")
        first = time.monotonic() - began
        scene.until_answered(1000)
        while time.monotonic() - began < WATCHED_SECONDS:
            scene.look()
            scene.until_answered(1000)
        scene.sampler.stop()
        assert member.terminate() == 0, member.program.text
    scene.groups.begin_at(scene.group, scene.groups.ends([TOPIC]))
    assert first <= FIRST_WITHIN_SECONDS
    peak = max(one.resident_bytes for one in scene.usage)
    assert peak <= laws.RESIDENT_BYTES_MAX
    print(f"first answer after {first:.1f} s, at most {peak >> 20} MiB")  # noqa: T201 - shown where the test fails, or with -s
    scene.check(60, backlog=backlog - 1000)

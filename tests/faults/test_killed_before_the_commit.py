"""kill -9 when Kafka has taken what is told of a command, and the commit is not made: copies, and all alike."""

import pytest

from tests.acceptance.journal import Record
from tests.faults import laws, reader
from tests.faults.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

ROUNDS = 4
STALL_MAX_SECONDS = 20.0  # a start, and the deadline of a call: hundreds of runs that end at once are work for a server
CLOCKED = {"dlq.failed_at", "dlq.attempts"}  # of each copy its own


def letters(scene: Scene) -> list[Record]:
    """Return the dead letters of the scene, copies included."""
    ours = {entry.place for entry in scene.ledger.entries}
    return [one for one in scene.journal.records(lambda one: one.topic.endswith(".dlq")) if reader.place(one) in ours]


@pytest.mark.fault(4)
def test_a_dead_letter_whose_record_was_not_committed_comes_again_with_the_same_coordinates(scene: Scene) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.orders.work())
    killed_before_the_commit = 0
    for number in range(ROUNDS):
        scene.until_answered(200 * (number + 1))
        (bad,) = scene.poison("lead.score", 1, [f"{scene.prefix}-{number}"])
        assert bad.place is not None
        topic, partition, offset = bad.place
        scene.until(lambda: scene.letters() > number, "the record is dead-lettered")  # noqa: B023 - called here
        member.kill()
        killed_before_the_commit += scene.groups.committed(scene.group).get((topic, partition), 0) <= offset
        member.start()
    scene.until_settled()
    found = scene.check(killed_before_the_commit=killed_before_the_commit)
    copies: dict[object, set[object]] = {}
    for one in letters(scene):
        kept = tuple(header for header in one.headers if header[0] not in CLOCKED)
        copies.setdefault(reader.place(one), set()).add((one.key, one.value, kept))
    assert [len(alike) for alike in copies.values()] == [1] * ROUNDS
    assert len({letter.place for letter in found.letters}) == ROUNDS


@pytest.mark.fault(5)
def test_events_that_were_told_before_the_kill_are_told_again_with_the_same_ids_and_bytes(scene: Scene) -> None:
    (member,) = scene.running()
    for number in range(ROUNDS):
        invoices = scene.orders.invoices(250)
        ids = {command.workflow_id for command in invoices}
        scene.ledger.send(invoices)
        wanted = scene.orders.random.randrange(20, 200)
        scene.until(lambda: len(reader.lifecycle(scene.journal, ids)) >= wanted, "some are told of")  # noqa: B023 - called here
        member.kill()
        member.start()
        scene.until_answered(250 * (number + 1))
    scene.until_settled()
    # Of starts and answers: an end goes with the feed's watermark in one transaction, and is told once.
    scene.check(STALL_MAX_SECONDS, copies=laws.copies(scene.evidence()))

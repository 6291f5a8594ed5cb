"""Topics that change under the group: truncated, made again, widened, deleted, compacted."""

import time
from collections import defaultdict
from dataclasses import replace

import confluent_kafka
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public there, but not marked as exported
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from tests.acceptance.conftest import OUTCOMES
from tests.acceptance.journal import Journal
from tests.faults import histories
from tests.faults.ledger import Steady
from tests.faults.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

TOPIC, UNUSED = "lead.score", "campaign.create"
ASK_SECONDS = 20.0
SEEN_WITHIN_SECONDS = 330.0  # the client looks for new partitions every five minutes
COMPACTED_WITHIN_SECONDS = 90.0


def configure(scene: Scene, topic: str, **settings: str) -> None:
    """Set settings of a topic; the names with underscores for dots."""
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    for done in scene.groups.admin.incremental_alter_configs([resource]).values():
        done.result(ASK_SECONDS)


def truncate(scene: Scene, topic: str) -> dict[tuple[str, int], int]:
    """Delete all records of a topic, as retention does; return where each partition begins now."""
    ends = scene.groups.ends([topic])
    places = [confluent_kafka.TopicPartition(*place, end) for place, end in ends.items()]
    for done in scene.groups.admin.delete_records(places).values():
        done.result(ASK_SECONDS)
    return ends


def recreate(scene: Scene, topic: str) -> None:
    scene.groups.admin.delete_topics([topic])[topic].result(ASK_SECONDS)
    scene.until(lambda: topic not in scene.groups.admin.list_topics(timeout=ASK_SECONDS).topics, "the topic is gone")
    scene.apply()


@pytest.mark.fault(25)
def test_records_that_expired_unread_are_reported_to_the_offset_and_what_is_left_is_carried_out(scene: Scene) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.orders.work(400))
    scene.until_settled()
    assert member.terminate() == 0, member.program.text
    begins = scene.groups.committed(scene.group)
    expired = scene.ledger.send(scene.orders.scores(60, 5), "aborted")
    ends = truncate(scene, TOPIC)
    scene.ledger.send(scene.orders.work(600))
    member.start()
    scene.until_settled()
    told = {(TOPIC, line["partition"]): (line["first"], line["last"]) for line in member.said("records expired unread")}
    assert told == {place: (begins[place], end - 1) for place, end in ends.items() if end > begins[place]}
    scene.check(60, expired=len(expired))


def forget_commits(scene: Scene) -> None:
    """Forget the old topic's commits, and note no more of them: those of the new one begin anew."""
    scene.sampler.leaves_out = {TOPIC}
    scene.sampler.samples[:] = [
        replace(one, committed={place: offset for place, offset in one.committed.items() if place[0] != TOPIC})
        for one in scene.sampler.samples
    ]


@pytest.mark.fault(26)
def test_a_topic_that_is_made_again_under_a_running_member_is_read_from_its_beginning(scene: Scene) -> None:
    scene.running()
    scene.ledger.send(scene.orders.scores(100, 7))
    scene.until_settled()
    forget_commits(scene)
    before = scene.groups.ends([TOPIC])
    recreate(scene, TOPIC)
    scene.renew_producer()
    scene.ledger.send(scene.orders.scores(60, 5))
    after = scene.groups.ends([TOPIC])
    assert sum(after.values()) < sum(before.values())
    scene.until_settled()
    scene.check(30, records_before=sum(before.values()))


@pytest.mark.fault(26)
def test_a_topic_that_is_made_again_while_no_member_runs_is_read_from_its_beginning(scene: Scene) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.orders.scores(100, 7))
    scene.until_settled()
    forget_commits(scene)
    assert member.terminate() == 0, member.program.text
    recreate(scene, TOPIC)
    scene.renew_producer()
    scene.ledger.send(scene.orders.scores(60, 5))
    member.start()
    scene.until_settled()
    scene.check(30, records=sum(scene.groups.ends([TOPIC]).values()))


@pytest.mark.fault(37)
def test_partitions_that_are_added_are_read_from_their_beginning(scene: Scene) -> None:
    (member,) = scene.running()
    scene.ledger.send(scene.orders.invoices(500))
    scene.until_answered(300)
    count = len(scene.groups.ends(["invoice.process"])) + 2
    for done in scene.groups.admin.create_partitions([NewPartitions("invoice.process", count)]).values():
        done.result(ASK_SECONDS)
    scene.until(lambda: len(scene.groups.ends(["invoice.process"])) == count, "the partitions are there")
    scene.renew_producer()
    sent = scene.ledger.send(scene.orders.invoices(500))
    new = [entry for entry in sent if entry.place is not None and entry.place[1] >= count - 2]
    scene.until_settled(SEEN_WITHIN_SECONDS)
    scene.check(SEEN_WITHIN_SECONDS, in_new_partitions=len(new))
    assert member.is_ready()


@pytest.mark.fault(37)
def test_a_topic_that_is_deleted_under_load_stops_no_other(scene: Scene) -> None:
    (member,) = scene.running()
    work = scene.orders.work()
    with Steady(scene.ledger, work, a_second=60) as sending:
        scene.until_answered(200)
        scene.groups.admin.delete_topics([UNUSED])[UNUSED].result(ASK_SECONDS)
        deleted = 1000 - scene.answered()
        sending.join()
    scene.until_answered(1000)
    scene.apply()
    scene.until(member.is_ready, "it works")
    scene.until_settled()
    scene.check(20, answered_without_it=deleted)


def survivors(scene: Scene, topic: str) -> dict[tuple[str, int], list[int]]:
    """Return the offsets that lie in a topic behind the scene's begin."""
    reader = confluent_kafka.Consumer(
        {"bootstrap.servers": scene.kafka.bootstrap, "group.id": "faults-survivors", "enable.partition.eof": True}
    )
    begins = {place: offset for place, offset in scene.begins.items() if place[0] == topic}
    reader.assign([confluent_kafka.TopicPartition(*place, offset) for place, offset in begins.items()])
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    open_ones = set(begins)
    try:
        while open_ones:
            for message in reader.consume(500, 1.0):
                place = (str(message.topic()), int(message.partition() or 0))
                if message.error() is None:
                    found[place].append(int(message.offset() or 0))
                else:
                    open_ones.discard(place)
    finally:
        reader.close()
    return found


@pytest.mark.fault(34)
def test_gaps_that_compaction_leaves_are_passed_and_committed_over(scene: Scene) -> None:
    superseded = scene.orders.scores(60, 10)
    for one in superseded:
        scene.ledger.intend(one.id, "sound", one.type, one.key, one.workflow_id)  # whether it stays is not known
    scene.producer.send_all(superseded)
    configure(
        scene, TOPIC, cleanup_policy="compact", segment_ms="500", min_cleanable_dirty_ratio="0.001",
        max_compaction_lag_ms="1000",
    )  # fmt: skip
    try:
        sent = 0
        end = time.monotonic() + COMPACTED_WITHIN_SECONDS
        while True:
            sent += len(scene.ledger.send(scene.orders.scores(50, 1)))  # an append rolls the segment
            kept = sum(len(offsets) for offsets in survivors(scene, TOPIC).values())
            gone = 600 + sent - kept
            if gone > 300:
                break
            assert time.monotonic() < end, "nothing is compacted"
    finally:
        configure(scene, TOPIC, cleanup_policy="delete", segment_ms="604800000", max_compaction_lag_ms=str(2**63 - 1))
    scene.ledger.send(scene.orders.work(max(0, 1000 - sent)))
    scene.running()
    scene.until_settled()
    scene.check(60, gone=gone)


def closed(scene: Scene) -> int:
    """Return how many invoices' runs have ended."""
    runs = histories.runs(scene.temporal.address, scene.namespace, [f"invoice-{scene.prefix}-"])
    return sum(run.closed for run in runs)


@pytest.mark.fault(31)
def test_ends_that_no_topic_takes_are_kept_and_told_when_it_is_back(scene: Scene) -> None:
    (member,) = scene.running()
    invoices = scene.orders.invoices(300, note="1")
    scene.ledger.send(invoices)
    scene.until_settled()
    lifecycle = "invoice.lifecycle"
    before = scene.journal.records(lambda one: one.topic == lifecycle)
    scene.groups.admin.delete_topics([lifecycle])[lifecycle].result(ASK_SECONDS)
    scene.ledger.send([one for invoice in invoices for one in scene.orders.approvals(invoice.key, 1)])
    scene.ledger.send(scene.orders.scores(80, 5))
    scene.until_answered(1000)
    member.wait_not_ready()
    scene.until(lambda: closed(scene) == len(invoices), "all have ended", 90)
    scene.apply()
    scene.healed()
    with Journal(scene.kafka.bootstrap, OUTCOMES) as scene.journal:
        scene.journal.remember(before)
        member.wait_ready()
        scene.until_settled()
        found = scene.check(60, ended_meanwhile=len(invoices))
    assert sum(run.closed for run in found.runs) == len(invoices)

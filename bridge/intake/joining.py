"""What a member begins with: its partitions, each where the owners before it left off."""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge.intake import care, expiry, offsets, progress
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.watermark import Watermark

UNKNOWN_END = 2**63  # then no record counts as new


async def begin(consumer: AIOKafkaConsumer, assigned: Collection[TopicPartition], waiting_max: int) -> Assignment:
    """Return the assignment, once the broker knows of it where owners may not get on (see `care`)."""
    assignment = Assignment(waiting_max)
    ends, done = await offsets.ends(consumer, assigned), await offsets.done_before(consumer, assigned)
    begins = await offsets.begins(consumer, assigned)
    for tp in assigned:
        before = done.get(tp) or progress.Done(begins.get(tp, 0))
        expiry.tell(tp, before.committed, begins.get(tp, 0))
        watermark = Watermark(before)
        assignment.partitions[tp] = partition = Partition(watermark, end_offset=ends.get(tp, UNKNOWN_END))
        if before.committed < ends.get(tp, 0):
            care.begin(watermark, before)
            partition.alone = care.RECORDS_ALONE_MAX if care.is_needed(watermark) else 0
    await offsets.note(consumer, {tp: one.watermark for tp, one in assignment.partitions.items()})
    return assignment

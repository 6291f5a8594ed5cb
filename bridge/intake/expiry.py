"""Tells of records that Kafka deleted before the group came to them: the client goes on at the log's begin unasked."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge.intake import offsets
from bridge.intake.assignment import Assignment
from bridge.telemetry import logs
from bridge.telemetry.names import Log

log = logs.get(__name__)


def tell(tp: TopicPartition, first: int, begin: int) -> None:
    """Say that the records from `first` up to the log's begin are lost, if any are."""
    if first < begin:
        log.error(Log.RECORDS_EXPIRED, topic=tp.topic, partition=tp.partition, first=first, last=begin - 1)


async def look(consumer: AIOKafkaConsumer, assignment: Assignment) -> None:
    """Tell of what expired where the consumer passed offsets over: transactions and compaction leave gaps, too."""
    passed = {tp: one.watermark.taken_passed() for tp, one in assignment.partitions.items() if one.watermark.passed}
    if not passed:
        return
    begins = await offsets.begins(consumer, passed)
    for tp, gap in passed.items():
        tell(tp, gap.start, min(begins.get(tp, 0), gap.stop))

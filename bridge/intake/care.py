"""Care for records that end the process: a crash of native code, or memory, leaves no error to handle.

Each owner of a partition notes in the commit's metadata that it begins, and the first record done takes the note back.
After three owners in a row who told of nothing done, records are begun alone, each noted before. What two owners have
died of alone is put aside by the third, unread. The second begins with it only when it has held its partitions for some
seconds: who is killed from outside as soon as it stands, time and again, does not die of the record that comes first.
"""

from datetime import timedelta
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from bridge.command import BadRecord, Record
from bridge.intake import progress, received
from bridge.intake.watermark import Watermark
from topics.replies import DeadLetterReason

TRIES_MAX = 3
ALONE_MAX = 2
AGAIN_AFTER = timedelta(seconds=2)
RECORDS_ALONE_MAX = 1000  # what one poll brings: what ended the process was most likely among them


def begin(watermark: Watermark, done: progress.Done) -> None:
    """Note that another owner begins where the one before it, which told of `done`, did not get on."""
    watermark.suspect = done.suspect
    watermark.tries = done.tries if done.suspect is not None else done.tries + 1


def is_needed(watermark: Watermark) -> bool:
    """Return whether records must be begun alone."""
    return watermark.suspect is not None or watermark.tries > TRIES_MAX


def must_wait(watermark: Watermark, offset: int, held: timedelta) -> bool:
    """Return whether the partitions are held for too short to begin with the record that the last owner died of."""
    return watermark.suspect == offset and watermark.tries < ALONE_MAX and held < AGAIN_AFTER


def begin_alone(watermark: Watermark, offset: int) -> int:
    """Note that the record at `offset` is begun alone, and return how often it was; 0 where nothing is held against it.

    What lies before the suspect was in hand or waiting when the process ended, and was not what was begun last.
    """
    if watermark.suspect is not None and offset < watermark.suspect:
        return 0
    watermark.tries = watermark.tries + 1 if watermark.suspect == offset else 1
    watermark.suspect = offset
    return watermark.tries


def end(watermark: Watermark) -> None:
    """Note that nothing speaks against any record: it got on, or the process ends well."""
    watermark.tries, watermark.suspect = 0, None


def put_aside(found: "ConsumerRecord[Any, Any]", tries: int) -> BadRecord:
    """Return what becomes of a record that nothing of ours looks into any more."""
    detail = f"value: the process ended {tries - 1} times when it had begun with this record alone"
    return BadRecord(received.record(found), DeadLetterReason.UNDECODABLE, detail)


def unread(tp: TopicPartition, offset: int, tries: int) -> Record:
    """Return what can be had of a record that not even the client can read without the end of the process."""
    damage = f"the process ended {tries - 1} times when it was read alone"
    return Record(tp.topic, tp.partition, offset, 0, None, None, (), damage)

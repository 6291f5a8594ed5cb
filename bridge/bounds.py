"""What can be in a mark that a bridge wrote: a memo may be other people's, and Kafka must take what is made of it."""

import functools
import re
from datetime import datetime

from bridge.command import rfc3339

TIME_CHARACTERS = len("2026-11-21T10:00:00.000Z")
PARTITION_MAX, OFFSET_MAX = 2**31 - 1, 2**63 - 1  # in Kafka

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{0,300}")  # the id of bare JSON is its topic and some more


def is_name(text: str) -> bool:
    """Return whether a text can be an id, source, type or group as intake takes them."""
    return _NAME.fullmatch(text) is not None


def is_topic(text: str) -> bool:
    """Return whether a topic of Kafka can have that name."""
    return _TOPIC.fullmatch(text) is not None


def is_place(partition: int, offset: int) -> bool:
    """Return whether a record can be there."""
    return 0 <= partition <= PARTITION_MAX and 0 <= offset <= OFFSET_MAX


def is_time(text: str) -> bool:
    """Return whether a time is written as we write it alone: times are compared as text, and passed on."""
    try:
        return len(text) == TIME_CHARACTERS and rfc3339(milliseconds(text)) == text
    except (ValueError, OverflowError):
        return False


@functools.lru_cache(maxsize=4096)  # a batch of records has one time
def milliseconds(time: str) -> int:
    """Return a time in ms since the epoch."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)

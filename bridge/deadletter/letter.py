"""A dead letter as it is read back: why it is one, where it came from, and the record that it was.

Pure. Whoever may write to a dead-letter topic decides what is in it: nothing here trusts its headers.
"""

from dataclasses import dataclass
from typing import TypeAlias

from bridge.command import DAMAGE_DETAIL, REPLAYS_HEADER, Record
from bridge.deadletter.record import LEFT_OUT, PREFIX, REPLAYS_DIGITS_MAX
from bridge.intake import envelope
from bridge.intake.envelope import RefusedError
from topics import spec
from topics.replies import DeadLetterReason

DETAIL_CHARACTERS_MAX = 4000
KEY_BYTES_SHOWN = 256
NUMBER_DIGITS_MAX = 19  # of partitions and offsets: 63 bits

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The record that became a dead letter; the timestamp tells it from one of a topic that was made anew."""

    topic: str
    partition: int
    offset: int
    timestamp: str

    @property
    def place(self) -> Place:
        """Where it lies, or lay."""
        return self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is told of a dead letter: everything but the record's value and headers, so that many fit in memory.

    `obstacle` says why it cannot be replayed, if it cannot.
    """

    place: Place
    timestamp_ms: int
    origin: Origin | None
    reason: str
    detail: str
    group: str
    attempts: str
    failed_at: str
    replays: int
    id: str | None
    source: str | None
    type: str | None
    key: bytes | None
    size_bytes: int
    obstacle: str | None

    @property
    def identity(self) -> str:
        """What it is known by once handled: copies of one letter have the same origin."""
        if self.origin is None:
            return f"{named(self.place)}@{self.timestamp_ms}"
        return f"{named(self.origin.place)}@{self.origin.timestamp}"


@dataclass(frozen=True, slots=True)
class Original:
    """The record as it was before it became a dead letter; `replays` is not among its headers."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def named(place: Place) -> str:
    """Return a place as people write it."""
    return "/".join(str(part) for part in place)


def read(record: Record) -> Letter:
    """Return what a record of a dead-letter topic tells."""
    told = _told(record)
    origin = _origin(told)
    attributes = _attributes(record, origin)
    return Letter(
        place=(record.topic, record.partition, record.offset),
        timestamp_ms=record.timestamp_ms,
        origin=origin,
        reason=told.get("reason", ""),
        detail=told.get("detail", "")[:DETAIL_CHARACTERS_MAX],
        group=told.get("group", ""),
        attempts=told.get("attempts", ""),
        failed_at=told.get("failed_at", ""),
        replays=_replays(told),
        id=attributes.get("id"),
        source=attributes.get("source"),
        type=attributes.get("type"),
        key=None if record.key is None else record.key[:KEY_BYTES_SHOWN],
        size_bytes=record.size_bytes,
        obstacle=_obstacle(record.topic, origin, told),
    )


def original(record: Record) -> Original:
    """Return the record that a dead letter was: its key, value and headers."""
    headers = tuple(header for header in record.headers if not header[0].startswith(PREFIX))
    value = None if _told(record).get("null") == "value" else record.value
    return Original(record.key, value, headers)


def _told(record: Record) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): (value or b"").decode(errors="backslashreplace")
        for name, value in record.headers
        if name.startswith(PREFIX)
    }


def _origin(told: dict[str, str]) -> Origin | None:
    partition, offset = _number(told.get("partition", "")), _number(told.get("offset", ""))
    if partition is None or offset is None or not told.get("topic"):
        return None
    return Origin(told["topic"], partition, offset, told.get("timestamp", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX else None


def _replays(told: dict[str, str]) -> int:
    text = told.get(REPLAYS_HEADER.removeprefix(PREFIX), "")
    return (_number(text) or 0) if len(text) <= REPLAYS_DIGITS_MAX else 0


def _attributes(record: Record, origin: Origin | None) -> dict[str, str]:
    """Return the command's attributes as far as they can be read."""
    was = original(record)
    topic, partition, offset = origin.place if origin else (record.topic, record.partition, record.offset)
    before = Record(topic, partition, offset, 0, was.key, was.value, was.headers)
    try:
        attributes = envelope.read(before, lambda _: "").attributes
    except RefusedError as refused:
        attributes = refused.attributes
    return {name: text for name, text in attributes.items() if text}  # bare JSON has no id of its own


def _obstacle(topic: str, origin: Origin | None, told: dict[str, str]) -> str | None:
    if origin is None:
        return "it does not say where it came from"
    if origin.topic + spec.DEAD_LETTER_SUFFIX != topic:
        return "it says that it came from another topic than this one keeps the dead letters of"
    detail = told.get("detail", "")
    if told.get("reason") == DeadLetterReason.UNDECODABLE and detail.startswith(DAMAGE_DETAIL):
        return "its bytes could not be read whole: the record cannot be restored as it was"
    if any(part.startswith(LEFT_OUT) for part in detail.split("; ")):
        return "a part of it was too large to be kept: the record cannot be restored as it was"
    return None

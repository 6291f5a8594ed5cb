"""What intake makes of a record: a command to carry out, or a record that cannot be one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import jiter

from bridge.routes import Replies, Route
from topics import ids, tables
from topics.replies import DeadLetterReason, ReplyOutcome

REPLAYS_HEADER = "dlq.replays"
"""How often a record came back from its dead-letter topic; the other `dlq.` headers of a command are ignored."""

REPLY_WHEN = "replywhen"
"""The extension by which a command asks for a second reply, when the runs have ended; `done` is its one value."""

DAMAGE_DETAIL = "record: "
"""How the detail begins that tells what the client could not read of a record: it cannot be written again as it was."""

HEADER_MEMORY_BYTES = 250  # of a header besides its text, an attribute's copy included

EARLIEST_MS, LATEST_MS = -62_135_596_800_000, 253_402_300_799_999  # what RFC 3339 can say: years 1 to 9999


@lru_cache(maxsize=4096)  # the broker stamps a batch with one time
def rfc3339(milliseconds: int) -> str:
    """Return a time since the epoch, in ms, as RFC 3339 text in UTC with ms."""
    milliseconds = min(max(milliseconds, EARLIEST_MS), LATEST_MS)  # what comes from outside may say anything
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}.{milliseconds % 1000:03d}Z"


def moment(text: str) -> datetime:
    """Return an RFC 3339 time, small letters and a leap second included (section 5.6); raises `ValueError`."""
    return datetime.fromisoformat(text.upper().replace(":60", ":59"))


class Record(NamedTuple):
    """A Kafka record; `timestamp_ms` is since the epoch, by the broker's clock on command topics.

    `damage` says what the client could not read of it.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    damage: str | None = None

    @property
    def size_bytes(self) -> int:
        """The bytes of key, value and headers."""
        size = len(self.key or b"") + len(self.value or b"")
        for name, value in self.headers:
            size += len(name) + (len(value) if value is not None else 0)
        return size

    @property
    def memory_bytes(self) -> int:
        """About what the record holds in memory while it waits: a header of two bytes takes a hundred times as much."""
        return self.size_bytes + HEADER_MEMORY_BYTES * len(self.headers)

    @property
    def time(self) -> str:
        """The timestamp as RFC 3339 text."""
        return rfc3339(self.timestamp_ms)

    def header(self, name: str) -> bytes | None:
        """Return the first value of a header that is not null, or None."""
        return next((value for key, value in self.headers if key == name and value is not None), None)


class Identity(NamedTuple):
    """Who sent which command: (source, id) is its identity."""

    source: str
    id: str
    type: str


@dataclass  # not frozen, as nearly nothing on a command's way: that sets each field in a slower way, 2 us a command
class Command:
    """A record that was understood and has a route.

    `request_id` is the command's UUIDv5, which Temporal dedupes by. `attributes` are the CloudEvent's, `data` is its
    JSON text as sent. `replayed` tells a record that came back from a dead-letter topic. `span` is the span in which
    it is processed, `call` that of the call to Temporal, where they are recorded.
    """

    record: Record
    identity: Identity
    request_id: str
    route: Route
    workflow_id: str
    data: bytes
    attributes: Mapping[str, str]
    traceparent: str
    tracestate: str | None
    reply_to: str | None
    replayed: bool
    span: str | None = None
    call: str | None = None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The data, parsed again for the few that ask: kept while a command waits, they take up to 25 times as much."""
        found: Mapping[str, Any] = jiter.from_json(self.data, float_mode="decimal")
        return found

    @property
    def correlation_id(self) -> str:
        """The command's own correlation id, else its id."""
        return self.attributes.get("correlationid") or self.identity.id

    @property
    def done_to(self) -> str | None:
        """The topic of the second reply; None where none is asked for, or the route's owner wants fewer of them."""
        if self.attributes.get(REPLY_WHEN) != ReplyOutcome.DONE or self.route.replies is not Replies.ALL:
            return None
        return self.reply_to or tables.REPLIES_TOPIC

    @property
    def created_ms(self) -> int:
        """The latest time at which the command was sent for the first time: by the broker's clock or its own."""
        try:
            sent = moment(self.attributes["time"])
        except (KeyError, ValueError):
            return self.record.timestamp_ms
        return min(self.record.timestamp_ms, int(sent.timestamp() * 1000))

    @property
    def record_request_id(self) -> str:
        """The request id of this very record, so that a re-sent copy can be told from a redelivery."""
        record = self.record
        place = ids.digits("record", record.topic, str(record.partition), str(record.offset), str(record.timestamp_ms))
        return f"{self.request_id}:{place[:12]}"


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record for its dead-letter topic; `identity`, `reply_to` and `route` where they could be read.

    `span` is the span in which it is processed, where that is recorded.

    It is not answered where it names a reply topic that it may not name: else all who read the common one would get the
    answers to whatever somebody sends.
    """

    record: Record
    reason: DeadLetterReason
    detail: str
    identity: Identity | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    reply_to: str | None = None
    is_answered: bool = True
    route: Route | None = None
    span: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that the deployment passes over on purpose."""

    record: Record

"""The mark that every run of ours carries: the memo `bridge`, and two search attributes.

Plain JSON and ids only, which we never encrypt: the sweep and `trace` read it without a key. A workflow's codec may
have encrypted it for a child. Visibility lags, the memo by Describe does not, so deduplication asks the memo.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

import pydantic_core
from pydantic import TypeAdapter
from temporalio.api.common.v1 import Memo, Payload

from bridge import bounds, sealing, tracecontext
from bridge.command import REPLY_WHEN, Command
from bridge.routes import Verb
from bridge.sealing import Sealing
from topics import ids

MEMO = "bridge"
GROUP_ATTRIBUTE = "BridgeGroup"
IDS_ATTRIBUTE = "BridgeIds"
ATTRIBUTE_TYPES: Mapping[str, str] = MappingProxyType({GROUP_ATTRIBUTE: "Keyword", IDS_ATTRIBUTE: "KeywordList"})
EARLIER_MAX = 32
# Kafka refuses a timestamp that is an hour ahead; the clocks of Temporal and Kafka may be apart by a quarter of one.
AHEAD_MAX_MS = timedelta(minutes=45) // timedelta(milliseconds=1)


@dataclass(slots=True)
class Mark:
    """Which command began a run; `time` is its record's timestamp, `earlier` the request ids of commands before it.

    `done` is the topic for `command.done` when the chain of runs has ended, where the command asked for that. `span` is
    the span in which the command was processed, where it was recorded: what is told of its runs belongs to it.
    """

    command: str
    source: str
    type: str
    topic: str
    partition: int
    offset: int
    time: str
    group: str
    correlationid: str
    traceparent: str
    route: str
    tracestate: str | None = None
    earlier: tuple[str, ...] = ()
    done: str | None = None
    span: str | None = None

    @property
    def request_id(self) -> str:
        """The UUIDv5 of the command that began the run."""
        return ids.text("request", self.source, self.command)

    @property
    def recorded_ms(self) -> int:
        """`time` in ms since the epoch."""
        return bounds.milliseconds(self.time)

    @property
    def is_sound(self) -> bool:
        """Whether all of it is within the bounds of what an intake takes, so that Kafka takes what is made of it."""
        names = (self.command, self.source, self.type, self.group, self.correlationid, self.route, *self.earlier)
        topics = (self.topic,) if self.done is None else (self.topic, self.done)
        trace = tracecontext.incoming(self.traceparent.encode(), (self.tracestate or "").encode(), {})
        return (
            all(map(bounds.is_name, names))
            and all(map(bounds.is_topic, topics))
            and bounds.is_place(self.partition, self.offset)
            and len(self.earlier) <= EARLIER_MAX
            and trace == (self.traceparent, self.tracestate)
            and (self.span is None or tracecontext.is_span_id(self.span))
            and bounds.is_time(self.time)
        )

    def may_begin(self, started_ms: int) -> bool:
        """Return whether the command can have begun, or reached, a run that started then, by Temporal's clock."""
        return self.recorded_ms <= started_ms + AHEAD_MAX_MS

    @property
    def known_request_ids(self) -> tuple[str, ...]:
        """Every command that is known to have started this workflow id, newest first, bounded."""
        return (self.request_id, *self.earlier)[:EARLIER_MAX]

    def is_of(self, command: Command) -> bool:
        """Return whether this very record began the run."""
        record = command.record
        mine = (record.topic, record.partition, record.offset, record.time)
        return self.request_id == command.request_id and mine == (self.topic, self.partition, self.offset, self.time)

    def is_later_than(self, command: Command) -> bool:
        """Return whether the run was begun by the same or a later record of the command's own partition."""
        record = command.record
        same_place = (self.topic, self.partition) == (record.topic, record.partition)
        # The time tells a topic that was made anew: its offsets begin again.
        return same_place and self.offset >= record.offset and self.time >= record.time


_MARK = TypeAdapter(Mark)


def of(command: Command, group: str, earlier: tuple[str, ...] = ()) -> Mark:
    """Return the mark for a run that `command` begins.

    Only a start has its second reply asked for here. What else begins a run does so to hand it something, which the run
    may refuse: that is known later than the mark is made.
    """
    record = command.record
    source, command_id, command_type = command.identity
    return Mark(
        command=command_id,
        source=source,
        type=command_type,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        time=record.time,
        group=group,
        correlationid=command.correlation_id,
        traceparent=command.traceparent,
        route=command.route.command,
        tracestate=command.tracestate,
        earlier=earlier,
        done=command.done_to if REPLY_WHEN in command.attributes and command.route.verb is Verb.START else None,
        span=command.span,
    )


def memo(mark: Mark) -> Payload:
    """Return the memo's payload."""
    return json_payload(memo_text(mark))


def memo_text(mark: Mark) -> bytes:
    """Return the memo's JSON text."""
    return _MARK.serializer.to_json(mark, exclude_none=True)


def read(payload: Payload, opening: Sealing | None = None) -> Mark | None:
    """Return the mark in a memo, or None where it is no mark of ours."""
    return read_text(sealing.text_of(payload, opening))


def read_text(text: bytes) -> Mark | None:
    """Return the mark in a memo's JSON text, or None where it is no mark of ours."""
    try:
        found: Mark = _MARK.validate_json(text, strict=True)
    except ValueError:
        return None
    # Children and schedules carry a mark that other people wrote: what an event is made of must be sound.
    return found if found.is_sound else None


def in_memo(memo: Memo, opening: Sealing | None = None) -> Mark | None:
    """Return the mark among a run's memo fields, or None."""
    payload = memo.fields.get(MEMO)
    return read(payload, opening) if payload is not None else None


def search_attributes(command: Command, group: str) -> dict[str, Payload]:
    """Return the search attributes of a run that `command` begins."""
    texts = {GROUP_ATTRIBUTE: group_text(group), IDS_ATTRIBUTE: ids_text(command)}
    return {name: json_payload(text, ATTRIBUTE_TYPES[name]) for name, text in texts.items()}


def group_text(group: str) -> bytes:
    """Return the JSON text of the search attribute `BridgeGroup`."""
    return pydantic_core.to_json(group)


def ids_text(command: Command) -> bytes:
    """Return the JSON text of the search attribute `BridgeIds`."""
    return pydantic_core.to_json([command.identity.id, tracecontext.trace_id(command.traceparent)])


def json_payload(text: bytes, attribute_type: str | None = None) -> Payload:
    """Return JSON text as a payload; `attribute_type` is the type of a search attribute."""
    payload = Payload()
    payload.CopyFrom(_empty_payload(attribute_type))  # to copy a map is cheaper than to make one
    payload.data = text
    return payload


@functools.cache
def _empty_payload(attribute_type: str | None) -> Payload:
    metadata = {"encoding": b"json/plain"}
    if attribute_type is not None:
        metadata["type"] = attribute_type.encode()
    return Payload(metadata=metadata)

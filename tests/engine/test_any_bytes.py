"""Whatever bytes arrive, a record is one of three things, and pieces of JSON stay as they were sent."""

import json
from decimal import Decimal
from typing import Any

import jiter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.command import BadRecord, Command, Record, Skipped
from bridge.intake import jsontext
from bridge.outcome import DeadLettered
from bridge.outcomes import replies
from tests.engine import records

NAMES = ["content-type", "traceparent", "tracestate", "dlq.replays", *(f"ce_{name}" for name in records.ATTRIBUTES)]
TYPES = [b"application/json", b"application/cloudevents+json", b"text/plain", b""]
SOUND = [text.encode() for text in records.ATTRIBUTES.values()]
VALUES = [None, json.dumps(records.APPROVE).encode(), records.structured(), b"{}", b"null"]

headers = st.lists(
    st.tuples(
        st.sampled_from(NAMES) | st.text(max_size=5),
        st.none() | st.binary(max_size=40) | st.sampled_from(TYPES) | st.sampled_from(SOUND),
    ),
    max_size=8,
)
bytes_or_nothing = st.none() | st.binary(max_size=60)


def check(record: Record) -> None:
    found = records.decode(record, skip=["lead.score"])
    assert isinstance(found, Command | BadRecord | Skipped)
    if isinstance(found, BadRecord):
        reply = replies.reply(found, DeadLettered(found.reason, found.detail), "g")
        assert (reply is None) == (found.identity is None)


@settings(max_examples=500)
@given(
    key=bytes_or_nothing,
    value=bytes_or_nothing | st.sampled_from(VALUES),
    headers=headers,
    topic=st.sampled_from(["invoice.approve", "lead.score", "unknown"]),
    offset=st.integers(0, 2**62),
    timestamp_ms=st.integers(-1, 2**62),
)
def test_any_record_is_a_command_or_a_bad_record_or_skipped(
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes | None]],
    topic: str,
    offset: int,
    timestamp_ms: int,
) -> None:
    check(Record(topic, 0, offset, timestamp_ms, key, value, tuple(headers)))


@settings(max_examples=500)
@given(data=st.data(), form=st.sampled_from(["bare", "structured"]))
def test_a_flipped_byte_in_a_command_raises_nothing(data: st.DataObject, form: str) -> None:
    text = bytearray(records.structured() if form == "structured" else json.dumps(records.APPROVE).encode())
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    check(records.record(bytes(text), records.STRUCTURED if form == "structured" else ()))


scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    members=st.dictionaries(st.text(), values, min_size=1, max_size=5),
    data=st.data(),
    indent=st.none() | st.integers(0, 2),
    ascii_only=st.booleans(),
)
def test_a_member_is_its_text_as_sent(
    members: dict[str, Any], data: st.DataObject, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(members, indent=indent, ensure_ascii=ascii_only).encode()
    jsontext.parse(text)
    name = data.draw(st.sampled_from(sorted(members)))
    found = jsontext.member(text, name)
    assert found is not None
    assert found == found.strip()
    assert found in text
    assert json.loads(found) == members[name]


@given(members=st.dictionaries(st.text(), values, max_size=4), name=st.text())
def test_a_member_that_is_not_there_is_none(members: dict[str, Any], name: str) -> None:
    members.pop(name, None)
    assert jsontext.member(json.dumps(members).encode(), name) is None


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_stay_exact(number: Decimal) -> None:
    assert Decimal(jsontext.parse(f"[{number:f}]".encode())[0]) == number


@given(st.integers(1, 100))
def test_depth_is_counted_from_the_outermost(depth: int) -> None:
    text = b"[" * depth + b"]" * depth
    assert jsontext._depth(jiter.from_json(text)) == depth

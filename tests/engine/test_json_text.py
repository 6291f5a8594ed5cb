"""Pieces of JSON stay as they were sent."""

import json
from decimal import Decimal
from typing import Any

import jiter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.intake import jsontext

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

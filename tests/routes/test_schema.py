"""A JSON Schema as the judge of a command's data: exact numbers, nothing fetched, no value in what it says."""

import json
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.intake import jsontext
from bridge.routes import schema
from bridge.routes.schema import SchemaError
from tests.routes.conftest import DEPLOYMENT


def problems(document: Any, data: str) -> list[str]:
    found = schema.compiled(jsontext.parse(json.dumps(document).encode()), "s.json")
    return found.problems(jsontext.parse(data.encode()))


@pytest.mark.parametrize(
    ("document", "data", "told"),
    [
        ({"required": ["a", "b"]}, "{}", ["a: is missing", "b: is missing"]),
        ({"properties": {"a": {"type": "integer"}}}, '{"a": 1.0}', []),
        ({"properties": {"a": {"type": "integer"}}}, '{"a": 1.5}', ["a: must be of the type integer"]),
        ({"properties": {"a": {"type": "integer"}}}, '{"a": true}', ["a: must be of the type integer"]),
        ({"properties": {"a": {"type": ["string", "null"]}}}, '{"a": 1}', ["a: must be of the type string or null"]),
        ({"properties": {"a": {"multipleOf": 0.01}}}, '{"a": 0.07}', []),
        ({"properties": {"a": {"multipleOf": 0.01}}}, '{"a": 0.075}', ["a: breaks multipleOf 0.01"]),
        ({"properties": {"a": {"maximum": 0.3}}}, '{"a": 0.30000000000000000001}', ["a: breaks maximum 0.3"]),
        ({"properties": {"a": {"const": 1}}}, '{"a": 1.0}', []),
        ({"properties": {"a": {"pattern": "^x"}}}, '{"a": "secret"}', ['a: breaks pattern "^x"']),
        ({"additionalProperties": False}, '{"secret": 1}', ["data: breaks additionalProperties false"]),
        ({"properties": {"a": {"enum": ["x" * 90]}}}, '{"a": "secret"}', ["a: breaks enum"]),
        ({"properties": {"a": {"format": "email"}}}, '{"a": "no address"}', []),
        (
            {"properties": {"a": {"items": {"$ref": "#/$defs/b"}}}, "$defs": {"b": {"required": ["c"]}}},
            '{"a": [{}]}',
            ["a.0.c: is missing"],
        ),
        (
            {"properties": {"a": {"multipleOf": 3}}},
            '{"a": 1e999999}',
            ["data: a number is too large to be held against the schema"],
        ),
        (True, "{}", []),
    ],
)
def test_data_are_judged_exactly_and_told_without_their_values(document: Any, data: str, told: list[str]) -> None:
    assert problems(document, data) == told


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ('{"a": 1}, {"a": 2}', []),
        ('{"a": 1}, {"a": 1.0}', ["a: breaks uniqueItems true"]),
        ("[1, 2], [2, 1]", []),
        ("[1, {}], [1, {}]", ["a: breaks uniqueItems true"]),
        ('1, true, "1", null, 0, false, [1], [true], {}, []', []),
        ("1e2, 100", ["a: breaks uniqueItems true"]),
        (", ".join(f'{{"a": {number}}}' for number in range(50_000)), []),
    ],
    ids=["objects", "equal objects", "lists", "equal lists", "all kinds", "equal numbers", "many"],
)
def test_items_are_unique_as_json_says_and_soon_told(items: str, told: list[str]) -> None:
    assert problems({"properties": {"a": {"uniqueItems": True}}}, f'{{"a": [{items}]}}') == told


def test_a_pattern_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "CPU_MAX", timedelta(seconds=1))
    began = time.process_time()
    endless = problems({"properties": {"a": {"pattern": "^(a+)+$"}}}, '{"a": "' + "a" * 60 + '!"}')
    assert endless == ["data: it takes more than 1 s to hold them against the schema"]
    assert time.process_time() - began < 3
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0


def test_at_most_twenty_problems_are_told() -> None:
    data = json.dumps({"a": [1] * 100})
    assert len(problems({"properties": {"a": {"items": {"type": "string"}}}}, data)) == 20


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"type": "objct"}, "is no JSON Schema: type: "),
        ({"properties": {"a": {"pattern": "["}}}, "is no JSON Schema: properties.a.pattern: "),
        (3, "is no JSON Schema: data: "),
        ({"$ref": "https://example.com/order.json"}, "refers to https://example.com/order.json, "),
        ({"properties": {"a": {"$ref": "other.json"}}}, "refers to other.json, which is not in the file"),
        ({"$ref": "#/$defs/none"}, "refers to /$defs/none, which is not in the file"),
        ({"$ref": "#"}, "refers to itself without end"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "is written in another dialect: only "),
        ({"$schema": 3}, "is written in another dialect: only "),
    ],
)
def test_a_schema_that_cannot_be_followed_is_refused_when_it_is_read(document: Any, told: str) -> None:
    with pytest.raises(SchemaError) as caught:
        schema.compiled(document, "s.json")
    assert str(caught.value).startswith(told)


def test_a_loop_that_only_data_reach_is_a_problem_of_the_data() -> None:
    loop = {"properties": {"a": {"$ref": "#/properties/a"}}}
    assert problems(loop, "{}") == []
    assert problems(loop, '{"a": 1}') == ["data: the schema refers to itself without end"]


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "is no JSON: "), ('{"a": 1, "a": 2}', "is no JSON: "), ('{"type": 3}', "is no JSON Schema: ")],
)
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(text)
    with pytest.raises(SchemaError) as caught:
        schema.read(file)
    assert told in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_schema_can_refer_to_what_it_names_by_its_own_id() -> None:
    document = {
        "$id": "https://example.com/order.json",
        "properties": {"a": {"$ref": "part.json"}},
        "$defs": {"part": {"$id": "part.json", "type": "string"}},
    }
    assert problems(document, '{"a": 1}') == ["a: must be of the type string"]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


ORDER = schema.read(DEPLOYMENT / "schemas/order.place.json")


@settings(deadline=None)  # how long it takes is the machine's affair
@given(data=st.dictionaries(st.sampled_from(["order_id", "lines", "customer_id", "x"]), ANY_JSON))
def test_whatever_the_data_are_they_are_sound_or_their_problems_are_told(data: dict[str, Any]) -> None:
    found = ORDER.problems(jsontext.parse(json.dumps(data).encode()))
    assert all(": " in problem for problem in found)

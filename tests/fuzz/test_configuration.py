"""Whatever a configuration file holds, it is taken, or refused in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.routes import keys
from tests.fuzz import corpus, effort, properties
from topics.environment.sections import BridgeSection, KafkaSection, Section

SEEDS = corpus.of("configuration")
SECTIONS: dict[str, type[Section]] = {"bridge": BridgeSection, "kafka": KafkaSection}

scalars = st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
values: st.SearchStrategy[Any] = scalars | st.lists(scalars, max_size=3) | st.just({})
sound = st.sampled_from(
    ["start", "signal", "update", "order.place", "order-{order_id}", "{", "never", "default", 1, 0.5]
)
rows = st.dictionaries(st.sampled_from(sorted(keys.READERS)) | st.text(max_size=5), sound | values, max_size=8)
sections = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(st.sampled_from(sorted(model.model_fields)) | st.text(max_size=5), values, max_size=4)
        for name, model in SECTIONS.items()
    },
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configuration")


@given(data=st.binary(max_size=200))
@effort.settings(100)
def test_any_bytes_are_taken_or_refused_in_words(data: bytes, folder: Path) -> None:
    properties.check_configuration(data, folder)


@given(data=st.data(), name=st.sampled_from(sorted(SEEDS)))
@effort.settings(80)
def test_a_file_with_a_flipped_byte_is_taken_or_refused_in_words(data: st.DataObject, name: str, folder: Path) -> None:
    text = bytearray(SEEDS[name])
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 255))
    properties.check_configuration(bytes(text), folder)


@given(tables=sections, rows=st.lists(rows, max_size=3), rest=st.dictionaries(st.text(max_size=5), values, max_size=2))
@effort.settings(80)
def test_any_values_are_taken_or_refused_in_words(
    tables: dict[str, dict[str, Any]], rows: list[dict[str, Any]], rest: dict[str, Any], folder: Path
) -> None:
    document = rest | tables | ({"route": rows} if rows else {})
    properties.check_configuration(_toml(document).encode("utf-8", "replace"), folder)


def _toml(value: Any) -> str:
    """Return a document, or a value inside one, as TOML: inline tables and JSON's strings will do."""
    return "\n".join(f"{json.dumps(key)} = {_inline(one)}" for key, one in value.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float):
        return repr(value)  # nan and inf are TOML's words, too
    return json.dumps(value)

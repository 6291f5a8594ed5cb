"""Whatever bytes arrive as key, value and headers: one outcome, in bounded time and memory."""

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.command import Record
from tests.engine import records
from tests.fuzz import corpus, effort, properties, way

TOPICS = (*way.ROUTES.topics, "unknown")
NAMES = (
    "content-type",
    "traceparent",
    "tracestate",
    "dlq.replays",
    "dlq.reason",
    "ce_replyto",
    "ce_replywhen",
    "ce_time",
)
TYPES = (b"application/json", b"application/cloudevents+json", b"text/plain", b"")
SOUND = (
    *(text.encode() for text in records.ATTRIBUTES.values()),
    b"done",
    b"bridge.replies",
    b"0",
    b"2026-11-21T10:00:00Z",
)
PIECES = (b"[", b"{", b'{"a":', b'"', b"\\", b"9", b"1,", b'{"a":1},', b" ", b"\xff", b"\xed\xa0\x80", b"-", b"1e9")
SEEDS = corpus.of("records")

anything = st.none() | st.binary(max_size=60)
repeated = st.builds(lambda piece, count: piece * count, st.sampled_from(PIECES), st.integers(1, 100_000))
headers = st.lists(
    st.tuples(
        st.sampled_from([*NAMES, *(f"ce_{name}" for name in records.ATTRIBUTES)]) | st.text(max_size=5),
        anything | st.sampled_from([*TYPES, *SOUND]),
    ),
    max_size=8,
)
sound_values = st.sampled_from([properties.record_of(data).value for data in SEEDS.values()])


@given(
    topic=st.sampled_from(TOPICS),
    key=anything,
    value=anything | sound_values | repeated,
    headers=headers,
    offset=st.integers(0, 2**62),
    timestamp_ms=st.integers(-1, 2**62),
)
@effort.settings(150)
def test_any_bytes_have_exactly_one_outcome(
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes | None]],
    offset: int,
    timestamp_ms: int,
) -> None:
    properties.check_record(Record(topic, 0, offset, timestamp_ms, key, value, tuple(headers)))


@given(data=st.data(), name=st.sampled_from(sorted(SEEDS)))
@effort.settings(150)
def test_a_command_with_a_flipped_byte_has_exactly_one_outcome(data: st.DataObject, name: str) -> None:
    text = bytearray(SEEDS[name])
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 255))
    properties.check_record(properties.record_of(bytes(text)))


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
@given(topic=st.sampled_from(TOPICS), value=repeated, head=st.sampled_from(PIECES), name=st.sampled_from(sorted(SEEDS)))
@effort.settings(15)
def test_what_a_record_takes_of_memory_is_bounded_by_its_size(topic: str, value: bytes, head: bytes, name: str) -> None:
    seed = properties.record_of(SEEDS[name])
    properties.check_record(seed._replace(topic=topic, value=head + value))
    properties.check_record(seed._replace(headers=(*seed.headers, ("ce_subject", value), ("note", value))))
    properties.check_record(seed._replace(value=(seed.value or b"{}")[:-1] + b',"x":"' + value))


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        *(
            (name, "executed")
            for name in ("a-start", "a-signal", "a-signal-with-start", "bare", "an-update", "a-terminate")
        ),
        ("no-json", "dead-lettered"),
        ("passed-over", "skipped"),
    ],
)
def test_a_record_of_the_corpus_has_its_outcome(name: str, outcome: str) -> None:
    assert properties.check_record(properties.record_of(SEEDS[name])) == outcome

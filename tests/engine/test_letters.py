"""What a dead letter tells, what is selected, cut and refused: pure."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.command import DAMAGE_DETAIL, Record
from bridge.deadletter import letter, replay, selection
from bridge.deadletter.letter import Letter
from bridge.deadletter.record import dead_letter
from bridge.deadletter.selection import Selection
from bridge.errors import TopicRefusedError
from bridge.producer import refusals
from bridge.producer.refusals import Refusals
from tests.engine import records
from topics.replies import DeadLetterReason

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEADERS = st.lists(
    st.tuples(st.text(max_size=5).filter(lambda name: not name.startswith("dlq.")), st.none() | st.binary(max_size=5))
)


def lying(record: Record, reason: DeadLetterReason = DeadLetterReason.INVALID, detail: str = "d") -> Record:
    """Return the dead letter of a record as it is read back."""
    written = dead_letter(record, reason, detail, group="g", attempts=2, failed_at=NOW)
    return Record(written.topic, 1, 9, 1_000, written.key, written.value, written.headers)


@given(key=st.none() | st.binary(max_size=9), value=st.none() | st.binary(max_size=9), headers=HEADERS)
def test_the_original_of_a_letter_is_the_record_that_it_was(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    record = Record("shop", 3, 7, 5_000, key, value, tuple(headers))
    was = letter.original(lying(record))
    assert (was.key, was.value, was.headers) == (key, value, tuple(headers))
    again = replay.again(letter.read(lying(record)), lying(record))
    assert (again.topic, again.headers[-1]) == ("shop", ("dlq.replays", b"1"))


def test_a_letter_tells_its_origin_reason_and_command() -> None:
    told = letter.read(lying(records.record(headers=records.binary())))
    origin = records.record()
    assert told.origin is not None
    assert told.origin.place == (origin.topic, origin.partition, origin.offset)
    assert (told.reason, told.detail, told.group, told.attempts, told.obstacle) == ("invalid", "d", "g", "2", None)
    assert told.id == "c-1"


def test_copies_of_a_letter_have_one_identity_and_a_topic_made_anew_another() -> None:
    first, again = lying(records.record()), lying(records.record())
    assert letter.read(first).identity == letter.read(again).identity
    record = Record("shop", 0, 0, 1_000, b"k", b"v", ())
    later = Record("shop", 0, 0, 2_000, b"k", b"v", ())
    assert letter.read(lying(record)).identity != letter.read(lying(later)).identity


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("dlq.topic", b"shop"),),
        (("dlq.topic", b"shop"), ("dlq.partition", b"-1"), ("dlq.offset", b"1")),
        (("dlq.topic", b"shop"), ("dlq.partition", b"1"), ("dlq.offset", b"9" * 30)),
        (("dlq.topic", None), ("dlq.partition", b"1"), ("dlq.offset", b"1")),
        (("dlq.topic", b"shop"), ("dlq.partition", "\u0661".encode()), ("dlq.offset", b"1")),
    ],
)
def test_what_does_not_say_where_it_came_from_is_told_but_not_replayed(
    headers: tuple[tuple[str, bytes | None], ...],
) -> None:
    told = letter.read(Record("shop.dlq", 0, 0, 0, b"k", b"v", headers))
    assert (told.origin, told.obstacle) == (None, "it does not say where it came from")


def test_nobody_can_have_a_record_written_to_another_topic() -> None:
    headers = (("dlq.topic", b"payroll"), ("dlq.partition", b"0"), ("dlq.offset", b"0"))
    told = letter.read(Record("shop.dlq", 0, 0, 0, b"k", b"v", headers))
    assert told.obstacle == "it says that it came from another topic than this one keeps the dead letters of"


def test_what_could_not_be_kept_as_it_was_is_not_replayed() -> None:
    damaged = Record("shop", 0, 0, 0, b"k", b"v", (("\\xff", b"1"),), damage="why")
    assert letter.read(lying(damaged, DeadLetterReason.UNDECODABLE, f"{DAMAGE_DETAIL}why")).obstacle is not None
    large = Record("shop", 0, 0, 0, b"k", bytes(3 * 1024 * 1024), ())
    assert letter.read(lying(large, DeadLetterReason.TOO_LARGE, "value: large")).obstacle is not None


def at(offset: int, size_bytes: int = 10) -> Letter:
    record = Record("shop", 0, offset, 0, b"k", bytes(size_bytes), ())
    return letter.read(lying(record))


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Selection(), True),
        (Selection(topics={"shop"}), True),
        (Selection(topics={"shop.dlq"}), True),
        (Selection(topics={"other"}), False),
        (Selection(places={("shop.dlq", 1, 9)}), True),
        (Selection(places={("shop", 0, 5)}), True),
        (Selection(places={("shop", 1, 9)}), False),
        (Selection(topics={"shop"}, places={("other", 0, 0)}), True),
        (Selection(reasons={"invalid"}), True),
        (Selection(reasons={"forbidden"}), False),
        (Selection(since_ms=1_000, until_ms=1_001), True),
        (Selection(since_ms=1_001), False),
        (Selection(until_ms=1_000), False),
        (Selection(keys={b"k"}), True),
        (Selection(keys={b"other"}), False),
        (Selection(ids={"c-1"}), False),
    ],
)
def test_a_letter_is_meant_if_it_has_all_that_is_asked_for(wanted: Selection, taken: bool) -> None:
    assert wanted.takes(at(5), b"k") is taken


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T12:00:00Z", NOW),
        ("2026-11-21T13:00:00+01:00", NOW),
        ("90s", NOW - timedelta(seconds=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
    ],
)
def test_a_time_is_rfc_3339_or_how_long_ago(text: str, moment: datetime) -> None:
    assert selection.moment_ms(text, NOW) == int(moment.timestamp() * 1000)


@pytest.mark.parametrize("text", ["", "soon", "2h30m", "-2h", "2026-11-21T12:00:00", "999999999w", "12"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        selection.moment_ms(text, NOW)


def test_chunks_hold_no_more_than_one_transaction_and_the_memory_can() -> None:
    small = [at(n) for n in range(450)]
    assert [len(chunk) for chunk in replay.chunks(small)] == [200, 200, 50]
    assert [len(chunk) for chunk in replay.chunks(small[:5], 2)] == [2, 2, 1]
    large = [at(n, 1_900_000) for n in range(6)]
    assert [len(chunk) for chunk in replay.chunks(large)] == [4, 2]
    assert list(replay.chunks([])) == []


def test_a_topic_that_refuses_is_tried_by_one_caller_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    told = Refusals()
    told.refused(TopicRefusedError("t", "is not there"))
    with pytest.raises(TopicRefusedError):
        told.check(["t"])
    told.check(["other"])
    clock += refusals.TRY_AGAIN_AFTER.total_seconds()
    told.check(["t"])
    with pytest.raises(TopicRefusedError):
        told.check(["t"])
    assert told.problem() == "t is not there"
    told.took(["t"])
    told.check(["t"])
    assert told.problem() is None


def test_a_topic_that_nobody_writes_to_any_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    told = Refusals()
    told.refused(TopicRefusedError("t", "is not there"))
    clock += refusals.FORGET_AFTER.total_seconds() + 1
    assert told.problem() is None

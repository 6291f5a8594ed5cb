"""Dead letters: key, value and headers untouched, and headers that say why."""

from datetime import UTC, datetime

import pytest

from bridge.command import Record
from bridge.deadletter.record import dead_letter
from bridge.outcomes.event import OutRecord
from tests.engine.records import RECORDED, record
from topics import spec
from topics.replies import DeadLetterReason

FAILED_AT = datetime(2026, 11, 21, 10, 0, 1, 5999, tzinfo=UTC)


def letter(of: Record, detail: str = "d") -> OutRecord:
    return dead_letter(of, DeadLetterReason.INVALID, detail, group="g", attempts=3, failed_at=FAILED_AT)


def told(of: Record) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in letter(of).headers if name.startswith("dlq.")}


def test_a_dead_letter_says_all_that_the_contract_names() -> None:
    assert told(record()) == {
        "dlq.reason": "invalid",
        "dlq.detail": "d",
        "dlq.topic": "invoice.approve",
        "dlq.partition": "2",
        "dlq.offset": "41",
        "dlq.timestamp": RECORDED,
        "dlq.group": "g",
        "dlq.attempts": "3",
        "dlq.failed_at": "2026-11-21T10:00:01.005Z",
        "dlq.replays": "0",
    }


def test_a_dead_letter_goes_to_the_topics_own_dead_letter_topic() -> None:
    assert letter(record()).topic == "invoice.approve.dlq"


@pytest.mark.parametrize("key", [None, b"", b"\xff"])
@pytest.mark.parametrize("value", [b"", b"\xff\x00"])
def test_key_and_value_are_untouched(key: bytes | None, value: bytes) -> None:
    written = letter(record(value, key=key))
    assert (written.key, written.value) == (key, value)


def test_headers_are_untouched_also_null_repeated_and_binary_ones() -> None:
    headers = (("a", None), ("a", b"1"), ("a", b"1"), ("b", b"\xff"), ("", b""))
    assert letter(record(headers=headers)).headers[:5] == headers


def test_forged_headers_of_an_earlier_dead_letter_are_replaced() -> None:
    forged = record(headers=[("dlq.reason", b"forged"), ("dlq.offset", b"0"), ("dlq.other", b"x")])
    assert [name for name, _ in letter(forged).headers].count("dlq.reason") == 1
    assert (told(forged)["dlq.reason"], told(forged)["dlq.offset"]) == ("invalid", "41")
    assert "dlq.other" not in told(forged)


@pytest.mark.parametrize(
    ("header", "kept"), [(b"3", "3"), (b"-1", "0"), (b"x", "0"), (b"\xff", "0"), (b"9" * 10, "0"), ("٣".encode(), "0")]
)
def test_only_a_plain_number_of_replays_is_kept(header: bytes, kept: str) -> None:
    assert told(record(headers=[("dlq.replays", header)]))["dlq.replays"] == kept


def test_a_tombstone_without_a_key_becomes_an_empty_value_and_says_so() -> None:
    of = record(None, key=None)
    assert (letter(of).value, told(of)["dlq.null"]) == (b"", "value")


def test_a_tombstone_with_a_key_stays_one() -> None:
    of = record(None)
    assert (letter(of).value, "dlq.null" in told(of)) == (None, False)


def size(written: OutRecord) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in written.headers)
    return len(written.key or b"") + len(written.value or b"") + headers


@pytest.mark.parametrize(
    "of",
    [
        record(bytes(20 * spec.MIB)),
        record(headers=[("a", bytes(3 * spec.MIB))]),
        record(headers=[("a", b"1")] * 1_000_000),
        record(key=bytes(3 * spec.MIB)),
    ],
    ids=["value", "a header", "many headers", "key"],
)
def test_what_no_dead_letter_topic_can_hold_is_left_out_and_named_with_its_place(of: Record) -> None:
    written = letter(of)
    assert size(written) < spec.DEAD_LETTER_BYTES_MAX
    assert told(of)["dlq.detail"].startswith("d; ")
    assert (told(of)["dlq.topic"], told(of)["dlq.partition"], told(of)["dlq.offset"]) == ("invoice.approve", "2", "41")

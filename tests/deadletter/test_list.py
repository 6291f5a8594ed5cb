"""`bridge dlq list`, `show` and `discard` on real Apache Kafka."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.deadletter.desk import WITHIN_SECONDS, Desk, letter

MANY = 10_000
MIB = 1024 * 1024


def offsets(desk: Desk, *words: str) -> list[int]:
    """Return the offsets of the originals that a list has, in its order."""
    return [int(row["original"].rpartition("/")[2]) for row in desk.rows("list", *words)]


def test_a_row_tells_all_but_the_content(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    headers = (("ce_id", b"c-1"), ("ce_source", b"/shop"), ("ce_type", b"order.place"), ("ce_specversion", b"1.0"))
    desk.letter(topic, 7, partition=4, key=b"k\xff\x1b[2J", value=b'{"secret": 1}', headers=headers, replays="2")
    (row,) = desk.rows("list", topic)
    assert row.pop("size_bytes") > 13
    assert row.pop("timestamp").startswith(datetime.now(UTC).strftime("%Y-"))
    assert row == {
        "topic": f"{topic}.dlq",
        "partition": 0,
        "offset": 0,
        "letter": f"{topic}.dlq/0/0",
        "original": f"{topic}/4/7",
        "original_timestamp": "2026-11-21T12:00:00.000Z",
        "reason": "target_missing",
        "detail": "no run was found",
        "key": "k\\xff\x1b[2J",
        "id": "c-1",
        "source": "/shop",
        "type": "order.place",
        "group": "desk",
        "attempts": "1",
        "failed_at": "2026-11-21T12:00:01.000Z",
        "replays": 2,
        "state": "open",
        "obstacle": None,
    }


def test_nothing_of_a_payload_reaches_a_terminal_raw(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    evil = b"\x1b]0;owned\x07\x9b31m\r\xe2\x80\xae"
    desk.letter(
        topic, 0, key=evil, value=evil, headers=((evil.decode(errors="replace"), evil),), detail=evil.decode("latin-1")
    )
    for words in (("list", topic), ("show", f"{topic}/0/0"), ("replay", topic)):
        out = desk.bridge(*words).out
        assert out != ""
        assert [character for character in out if not character.isprintable() and character != "\n"] == []


def test_the_newest_of_all_partitions_comes_first_or_all_come_by_offset(desk: Desk) -> None:
    topic = desk.topic(partitions=3)
    for number in range(9):  # singly: each has a later time
        desk.letter(topic, number, at=(number * 2) % 3)
        time.sleep(0.002)
    assert offsets(desk, topic) == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert offsets(desk, topic, "--order", "offset") == [0, 3, 6, 2, 5, 8, 1, 4, 7]


def test_letters_are_found_by_reason_key_id_place_and_time(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    desk.letters(
        [
            letter(topic, 0, reason="invalid"),
            letter(topic, 1, key=b"other"),
            letter(topic, 2, headers=(("ce_id", b"c-1"), ("ce_specversion", b"1.0"))),
            letter(topic, 3, key=None),
        ]
    )
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert offsets(desk, topic, "--reason", "invalid", "--reason", "forbidden") == [0]
    assert offsets(desk, topic, "--key", "other") == [1]
    assert offsets(desk, topic, "--id", "c-1") == [2]
    assert offsets(desk, f"{topic}.dlq/0/3") == [3]
    assert offsets(desk, f"{topic}/0/2", f"{topic}.dlq/0/1") == [2, 1]
    assert offsets(desk, f"{topic}.dlq", "--since", "2h", "--until", soon) == [3, 2, 1, 0]
    assert offsets(desk, topic, "--since", soon) == []
    assert offsets(desk, topic, "--until", "2h") == []
    assert offsets(desk, topic, "-n", "2") == [3, 2]


def test_wrong_filters_end_it_with_2_and_every_problem(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    ended = desk.bridge("list", topic, f"{topic}/x/1", "--since", "soon", "--until", "2026-11-21", "--reason", "invald")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "bridge: --reason: invald is none; did you mean invalid?",
        f"bridge: {topic}/x/1 is no topic/partition/offset, such as invoice.process.dlq/2/17.",
        "bridge: --since: soon is no time: give one such as 2026-11-21T12:00:00Z, or how long ago, as 2h.",
        "bridge: --until: 2026-11-21 is no time: give one such as 2026-11-21T12:00:00Z, or how long ago, as 2h.",
    ]


@pytest.mark.parametrize("command", [("list", "invoice.proces"), ("show", "nosuch/0/0"), ("replay", "nosuch", "--yes")])
def test_a_topic_that_is_not_there_ends_it_with_2(desk: Desk, command: tuple[str, ...]) -> None:
    ended = desk.bridge(*command)
    assert (ended.code, ended.out) == (2, "")
    assert "is not a dead-letter topic of this Kafka; known are" in ended.err


def test_show_prints_one_whole(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    desk.letter(topic, 7, value=b'{"a": "\xc3\xa4"}', headers=(("x", None), ("y", b"\xff"), ("z", b"1")))
    (row,) = desk.bridge("show", f"{topic}/0/7", "-o", "json").rows
    assert row["headers"] == [
        {"name": "x", "value": None},
        {"name": "y", "value_base64": "/w=="},
        {"name": "z", "value": "1"},
    ]
    assert (row["value"], row["letter"]) == ('{"a": "\u00e4"}', f"{topic}.dlq/0/0")
    lines = desk.bridge("show", f"{topic}.dlq/0/0").out.splitlines()
    assert lines[-6:] == ["headers:", "  x: null", "  y: \\xff", "  z: 1", "value (11 bytes):", '{"a": "\u00e4"}']


def test_show_of_what_is_not_there_ends_with_1(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    ended = desk.bridge("show", f"{topic}/0/7")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"bridge: No dead letter is at {topic}/0/7, and none came from there.\n"


def test_a_discarded_letter_stays_and_is_neither_listed_nor_replayed(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    desk.letters([letter(topic, n, key=b"%d" % n) for n in range(3)])
    words = ("discard", topic, "--key", "1", "--because", "sent again by hand")
    told = desk.bridge(*words)
    assert (told.code, told.err) == (0, "1 would be discarded: --yes does it.\n")
    assert offsets(desk, topic) == [2, 1, 0]
    assert desk.bridge(*words, "--yes").err == "1 discarded.\n"
    assert desk.bridge(*words, "--yes").err == "There is nothing to discard.\n"
    assert offsets(desk, topic) == [2, 0]
    assert offsets(desk, topic, "--state", "discarded") == [1]
    assert len(desk.records(f"{topic}.dlq")) == 3
    desk.rows("replay", topic, "--yes")
    assert [found[2] for found in desk.records(topic)] == [b"0", b"2"]
    told_why = [json.loads(found[3] or b"") for found in desk.records("desk.dlq.handled")]
    assert [it["why"] for it in told_why if it["letter"].startswith(topic) and it["state"] == "discarded"] == [
        "sent again by hand"
    ]


def test_discard_asks_why(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    assert desk.bridge("discard", topic).code == 2
    assert desk.bridge("discard", topic, "--because", " ").code == 2


def test_ten_thousand_letters_are_listed_in_bounded_time_and_memory(desk: Desk) -> None:
    topic = desk.topic(partitions=3)
    value = b"x" * 20_000  # 200 MB of them
    desk.letters([letter(topic, n, key=b"%d" % n, value=value) for n in range(MANY)])
    small = peak_mib(desk, "list", topic, "-n", "1")
    began = time.monotonic()
    listed = peak_mib(desk, "list", topic, "--all")
    assert time.monotonic() - began < 30
    assert listed - small < 60
    assert listed < 200
    began = time.monotonic()
    assert len(offsets(desk, topic, "-n", "5")) == 5
    assert time.monotonic() - began < 10


TELLING_ITS_PEAK = """
import os, pathlib, sys
from bridge import cli
code = cli.execute(sys.argv[1:])
sys.stdout.flush()
status = pathlib.Path("/proc/self/status").read_text()
print(next(line for line in status.splitlines() if line.startswith("VmHWM")), file=sys.stderr, flush=True)
os._exit(code)
"""


def peak_mib(desk: Desk, *words: str) -> float:
    """Run a command to its end and return how much memory it held at most, as it says itself: it may end at once."""
    done = subprocess.run(
        [sys.executable, "-c", TELLING_ITS_PEAK, "dlq", *words],
        env=desk.line.environment(),
        cwd=desk.line.folder,
        capture_output=True,
        timeout=WITHIN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-2]) / 1024

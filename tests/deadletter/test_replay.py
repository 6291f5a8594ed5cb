"""`bridge dlq replay` as a process on real Apache Kafka: every record as it was, where it was, once."""

import os
import pty
import signal
import subprocess
import time

import pytest

from tests.acceptance.producer import Headers
from tests.deadletter.desk import Desk, letter, until

DAMAGED = "its bytes could not be read whole: the record cannot be restored as it was"
ODD: Headers = (("a", None), ("a", b""), ("a", b"\xff\x00"), ("ce_id", b"one"), ("a", b"again"))


def test_without_yes_it_is_told_and_nothing_is_done(desk: Desk) -> None:
    topic = desk.topic()
    desk.letter(topic, 7, partition=3)
    ended = desk.bridge("replay", topic, "-o", "json")
    assert [(row["original"], row["obstacle"]) for row in ended.rows] == [(f"{topic}/3/7", None)]
    assert (ended.code, ended.err) == (0, "1 would be replayed: --yes does it.\n")
    assert desk.records(topic) == []


@pytest.mark.parametrize(("key", "value"), [(b"\xff", b"\x00\xff"), (None, b"v"), (b"k", None), (b"", b"")])
def test_a_record_comes_back_as_it_was_with_its_replays_counted_up(
    desk: Desk, key: bytes | None, value: bytes | None
) -> None:
    topic = desk.topic()
    desk.letter(topic, 7, partition=4, key=key, value=value, headers=ODD, replays="2")
    (row,) = desk.rows("replay", topic, "--yes")
    assert desk.records(topic) == [(4, 0, key, value, (*ODD, ("dlq.replays", b"3")))]
    assert row["replayed_to"] == f"{topic}/4/0"


def test_a_tombstone_without_key_is_one_again(desk: Desk) -> None:
    topic = desk.topic()
    desk.letter(topic, 7, partition=2, key=None, value=b"", headers=(("a", b"b"),), null="value")
    desk.rows("replay", topic, "--yes")
    assert desk.records(topic) == [(2, 0, None, None, (("a", b"b"), ("dlq.replays", b"1")))]


def test_records_come_back_in_the_order_of_their_originals(desk: Desk) -> None:
    topic = desk.topic()
    order = [40, 3, 700, 12, 5, 41]
    desk.letters([letter(topic, n, partition=1, key=b"%d" % (n % 3), value=b"%d" % n, at=n % 6) for n in order])
    desk.rows("replay", topic, "--yes")
    assert [(found[0], found[3]) for found in desk.records(topic)] == [(1, b"%d" % n) for n in sorted(order)]


def test_a_partition_that_is_gone_is_chosen_by_the_key(desk: Desk) -> None:
    topic = desk.topic(partitions=2)
    desk.letters([letter(topic, n, partition=5, key=b"the key", value=b"%d" % n) for n in range(3)])
    desk.letters([letter(topic, n, partition=5, key=None, value=b"%d" % n) for n in range(3, 6)])
    desk.rows("replay", topic, "--yes")
    found = desk.records(topic)
    assert len({place for place, _, key, *_ in found if key is not None}) == 1
    assert [(place, value) for place, _, key, value, _ in found if key is None] == [(1, b"3"), (1, b"4"), (1, b"5")]


def test_a_second_replay_does_nothing_and_again_does_it_again(desk: Desk) -> None:
    topic = desk.topic()
    desk.letters([letter(topic, n) for n in range(3)])
    assert len(desk.rows("replay", topic, "--yes")) == 3
    second = desk.bridge("replay", topic, "--yes")
    assert (second.code, second.out, second.err) == (0, "", "There is nothing to replay.\n")
    assert desk.rows("list", topic) == []
    assert [row["state"] for row in desk.rows("list", topic, "--state", "all")] == ["replayed"] * 3
    assert len(desk.rows("replay", topic, "--yes", "--again")) == 3
    assert len(desk.records(topic)) == 6


def test_copies_of_one_letter_are_replayed_as_one(desk: Desk) -> None:
    topic = desk.topic()
    desk.letters([letter(topic, 1, at=0), letter(topic, 1, at=3)])
    assert len(desk.rows("replay", topic, "--yes")) == 1
    assert desk.rows("list", topic) == []


def test_what_cannot_be_restored_is_refused_with_its_reason_and_the_rest_is_replayed(desk: Desk) -> None:
    topic = desk.topic()
    desk.letters(
        [
            letter(topic, 1, reason="undecodable", detail="record: a header name is not UTF-8 text"),
            letter(topic, 2, reason="too_large", detail="value: 1; left out, too large: the value of 3000000 bytes"),
            (f"{topic}.dlq", *letter("elsewhere", 3)[1:]),
            (f"{topic}.dlq", b"k", b"v", (), -1),
            letter(topic, 5, value=b"sound"),
        ]
    )
    ended = desk.bridge("replay", topic, "--yes")
    assert ended.code == 1
    assert sorted(ended.err.splitlines()) == [
        "1 cannot be replayed: a part of it was too large to be kept: the record cannot be restored as it was.",
        "1 cannot be replayed: it does not say where it came from.",
        "1 cannot be replayed: it says that it came from another topic than this one keeps the dead letters of.",
        f"1 cannot be replayed: {DAMAGED}.",
        "1 replayed.",
    ]
    assert [found[3] for found in desk.records(topic)] == [b"sound"]


def test_a_topic_that_is_not_there_is_told_and_never_made(desk: Desk) -> None:
    topic = desk.topic()
    desk.letter(topic, 1)
    desk.delete_topic(topic)
    ended = desk.bridge("replay", topic, "--yes")
    assert (ended.code, ended.out) == (1, "")
    assert f"{topic}, where it came from, is not there" in ended.err


def test_a_record_that_its_topic_finds_too_large_stops_no_other(desk: Desk) -> None:
    topic = desk.topic()
    desk.letters([letter(topic, n, value=bytes(2_000_000 if n == 1 else 10)) for n in range(3)])
    ended = desk.bridge("replay", topic, "--yes")
    assert ended.code == 1
    assert "larger than max.message.bytes" in ended.err
    assert [len(found[3] or b"") for found in desk.records(topic)] == [10, 10]


def test_it_keeps_to_its_rate(desk: Desk) -> None:
    topic = desk.topic()
    desk.letters([letter(topic, n) for n in range(40)])
    began = time.monotonic()
    assert len(desk.rows("replay", topic, "--yes", "--rate", "10")) == 40
    assert time.monotonic() - began >= 4


def test_killed_in_the_middle_and_run_again_it_replays_each_once(desk: Desk) -> None:
    topic = desk.topic()
    count = 300
    desk.letters([letter(topic, n, partition=n % 6, value=b"%d" % n) for n in range(count)])
    with desk.line.running("dlq", "replay", topic, "--yes", "--rate", "30", "-o", "json") as killed:
        until(lambda: desk.records(topic), "a part is replayed")
        killed.kill()
    assert len(desk.records(topic)) < count
    desk.rows("replay", topic, "--yes", "--rate", "1000")
    assert sorted(int(found[3] or b"") for found in desk.records(topic)) == list(range(count))


def test_a_second_replay_at_the_same_time_stops_the_first_and_each_is_replayed_once(desk: Desk) -> None:
    topic = desk.topic()
    count = 1000
    desk.letters([letter(topic, n, value=b"%d" % n) for n in range(count)])
    with desk.line.running("dlq", "replay", topic, "--yes", "--rate", "10") as first:
        until(lambda: desk.records(topic), "the first has begun")
        desk.rows("replay", topic, "--yes", "--rate", "1000")
        _, told = first.communicate(timeout=60)
    assert first.returncode == 1
    assert b"Another `bridge dlq` of this group has begun" in told
    assert sorted(int(found[3] or b"") for found in desk.records(topic)) == list(range(count))


def test_ctrl_c_leaves_no_transaction_open(desk: Desk) -> None:
    topic = desk.topic()
    count = 1000
    desk.letters([letter(topic, n, value=b"%d" % n) for n in range(count)])
    with desk.line.running("dlq", "replay", topic, "--yes", "--rate", "10") as stopped:
        until(lambda: desk.records(topic), "it has begun")
        stopped.send_signal(signal.SIGINT)
        stopped.communicate(timeout=30)
    assert stopped.returncode == 130
    desk.rows("replay", topic, "--yes", "--rate", "1000")
    assert [int(found[3] or b"") for found in desk.records(topic)] == list(range(count))


def test_letters_of_a_topic_that_was_made_anew_are_others(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    desk.letters([letter(topic, 1, value=b"new", timestamp="2026-11-22T12:00:00.000Z"), letter(topic, 1, value=b"old")])
    desk.rows("replay", topic, "--yes")
    assert [found[3] for found in desk.records(topic)] == [b"old", b"new"]


def test_a_place_that_holds_nothing_ends_it_with_1(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    desk.letter(topic, 1)
    for words in ((), ("--yes",)):
        ended = desk.bridge("replay", f"{topic}.dlq/0/99", *words)
        assert (ended.code, ended.err) == (1, "bridge: No dead letter is there, and none came from there.\n")


def test_a_terminal_shows_a_bar_and_a_pipe_plain_lines(desk: Desk) -> None:
    topic = desk.topic(partitions=1)
    desk.letters([letter(topic, n) for n in range(7)])
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        desk.line.argv("dlq", "replay", topic, "--yes"),
        env=desk.line.environment(TERM="xterm", COLUMNS="80"),
        cwd=desk.line.folder,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        shown = b"".join(iter(lambda: read(ours), b"")).decode()
    os.close(ours)
    assert running.returncode == 0
    assert "7/7" in shown
    assert "7 replayed." in shown
    assert topic not in shown
    plain = desk.bridge("replay", topic, "--yes", "--again")
    assert (len(plain.out.splitlines()), plain.err) == (8, "7 replayed.\n")
    assert "\x1b" not in plain.out + plain.err


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # its last user has closed it
        return b""

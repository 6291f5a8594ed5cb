"""Watches: as records, and as the list that the feed's owner holds."""

import dataclasses

from bridge import mark
from bridge.feed import watch
from bridge.feed.watch import Watch
from bridge.feed.watchlist import Watchlist
from bridge.mark import Mark
from tests.engine import records

MARK: Mark = mark.of(records.command(records.record(headers=records.binary())), "g")
ASKED = Watch(MARK, "default", "w-1", "r-1", announce=False, reply_topic="bridge.replies")


def listed(*watches: Watch, watches_max: int = 10) -> Watchlist:
    watchlist = Watchlist(watches_max)
    for offset, one in enumerate(watches):
        watchlist.note(one.key, watch.record(one, "g").value, offset)
    return watchlist


def test_a_watch_is_read_back_as_it_was_written() -> None:
    for one in (ASKED, dataclasses.replace(ASKED, announce=True, reply_topic=None, started=True)):
        record = watch.record(one, "g")
        assert record.topic == "g.feed"
        assert record.value is not None
        assert watch.read(record.value) == one


def test_the_key_of_a_watch_is_no_namespace_and_its_tombstone_has_the_same() -> None:
    record, end = watch.record(ASKED, "g"), watch.tombstone(ASKED, "g")
    assert watch.is_key(record.key)
    assert (end.key, end.value) == (record.key, None)
    assert not any(watch.is_key(name.encode()) for name in ("default", "watch", "watch.prod"))


def test_each_command_record_has_a_watch_of_its_own_and_the_owner_has_one_a_run() -> None:
    other = dataclasses.replace(ASKED, mark=dataclasses.replace(MARK, offset=42))
    assert ASKED.key != other.key
    owned, other_owned = (dataclasses.replace(one, started=True) for one in (ASKED, other))
    assert owned.key == other_owned.key == watch.run_key("default", "w-1", "r-1")


def test_what_is_no_watch_is_none() -> None:
    assert [watch.read(value) for value in (b"", b"{}", b"[", b'{"closed_until_ms": 1}')] == [None] * 4


def test_a_tombstone_takes_the_watch_off_the_list() -> None:
    watchlist = listed(ASKED)
    assert list(watchlist.of_namespace("default")) == [ASKED]
    watchlist.note(ASKED.key, None)
    assert list(watchlist.of_namespace("default")) == []


def test_only_the_owners_own_watch_tells_that_a_run_is_looked_after() -> None:
    owned = dataclasses.replace(ASKED, started=True)
    watchlist = listed(ASKED)
    assert watchlist.of_run("default", "w-1", "r-1") is None
    watchlist.note(owned.key, watch.record(owned, "g").value)
    assert watchlist.of_run("default", "w-1", "r-1") == owned


def test_watches_above_the_bound_are_left_out_until_a_tenth_of_them_is_done() -> None:
    watches = [dataclasses.replace(ASKED, run_id=f"r-{number}") for number in range(22)]
    watchlist = listed(*watches, watches_max=20)
    assert (len(watchlist), watchlist.left_out) == (20, 2)
    watchlist.note(watches[0].key, None)
    assert watchlist.room_from() is None
    watchlist.note(watches[1].key, None)
    assert (watchlist.room_from(), watchlist.left_out) == (20, 0)


def test_a_small_list_has_room_as_soon_as_one_watch_is_done() -> None:
    watches = [dataclasses.replace(ASKED, run_id=f"r-{number}") for number in range(6)]
    watchlist = listed(*watches, watches_max=4)
    assert watchlist.room_from() is None
    watchlist.note(watches[0].key, None)
    assert watchlist.room_from() == 4


def test_what_the_owner_writes_itself_is_never_left_out() -> None:
    watchlist = listed(ASKED, watches_max=1)
    other = dataclasses.replace(ASKED, run_id="r-2")
    watchlist.note(other.key, watch.record(other, "g").value)
    assert list(watchlist.of_namespace("default")) == [ASKED, other]

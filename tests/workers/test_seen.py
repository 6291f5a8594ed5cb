"""The set of commands that were seen."""

import json

from hypothesis import given
from hypothesis import strategies as st

from workers.sdk import Seen, seen

identities = st.tuples(st.text(max_size=20), st.text(max_size=20))


def test_a_command_is_new_once() -> None:
    memory = Seen()
    assert [memory.add("/shop", "1"), memory.add("/shop", "1")] == [True, False]


def test_the_same_id_of_another_source_is_another_command() -> None:
    memory = Seen()
    assert [memory.add("/shop", "1"), memory.add("/desk", "1")] == [True, True]


def test_source_and_id_are_not_run_together() -> None:
    memory = Seen()
    assert [memory.add("/shop/a", "b"), memory.add("/shop/", "ab")] == [True, True]


def test_an_identity_is_kept_as_sixteen_hex_characters() -> None:
    memory = Seen()
    memory.add("/shop", "1")
    (digest,) = memory
    assert (len(digest), set(digest) <= set("0123456789abcdef")) == (16, True)


@given(st.lists(identities))
def test_what_is_carried_over_as_a_list_is_seen_in_the_next_run(given: list[tuple[str, str]]) -> None:
    memory = Seen()
    for source, number in given:
        memory.add(source, number)
    carried = Seen(json.loads(json.dumps(list(memory))))
    assert list(carried) == list(memory)
    assert [carried.add(source, number) for source, number in given] == [False] * len(given)


def test_beyond_the_capacity_the_oldest_is_forgotten() -> None:
    memory = Seen()
    for number in range(seen.CAPACITY + 1):
        memory.add("/shop", str(number))
    assert (len(memory), memory.add("/shop", "1"), memory.add("/shop", "0")) == (seen.CAPACITY, False, True)


def test_a_full_set_is_carried_in_less_than_200_kb() -> None:
    memory = Seen()
    for number in range(seen.CAPACITY):
        memory.add("/shop", str(number))
    assert len(json.dumps(list(memory), separators=(",", ":"))) < 200_000

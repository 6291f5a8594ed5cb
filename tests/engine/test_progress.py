"""What a commit tells the next owner about the records behind it."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.intake import progress
from bridge.intake.watermark import Watermark


@given(st.integers(0, 10**12), st.sets(st.integers(0, 500)), st.integers(0, 100))
def test_the_next_owner_knows_each_record_that_is_done(base: int, stuck: set[int], behind: int) -> None:
    pending = [base + offset for offset in sorted(stuck)]
    committed = min(pending, default=base)
    position = max(pending, default=base) + 1 + behind
    told = progress.decode(committed, progress.encode(committed, pending, position, committed))
    done = [offset for offset in range(committed, position) if offset not in pending]
    assert [offset for offset in range(committed - 2, position + 2) if offset in told] == done


@given(st.integers(2, 10_000), st.integers(0, 10**9))
def test_what_does_not_fit_counts_as_not_done(step: int, base: int) -> None:
    pending = [base + step * number for number in range(3000)]
    text = progress.encode(pending[0], pending, pending[-1] + 1000, pending[0])
    told = progress.decode(pending[0], text)
    assert len(text) < 4096
    assert not any(offset in told for offset in [*pending, pending[-1] + 1])


@given(st.text(max_size=50))
def test_metadata_of_others_tell_nothing_and_break_nothing(text: str) -> None:
    assert 7 not in progress.decode(7, text)


def test_nothing_is_written_where_nothing_behind_the_commit_is_done() -> None:
    assert progress.encode(5, [5, 6, 7], 8, 5) == ""


@given(st.integers(0, 10**9), st.integers(1, 3000), st.integers(0, 10**4))
def test_how_far_all_starts_are_done_is_told_however_many_others_wait(base: int, waiting: int, behind: int) -> None:
    pending = range(base, base + 2 * waiting, 2)
    text = progress.encode(base, pending, base + 2 * waiting, base + behind)
    assert len(text) < 4096
    assert progress.decode(base, text).starts_done == base + behind


def test_without_metadata_starts_are_done_up_to_the_commit() -> None:
    assert progress.decode(5, "").starts_done == 5


def test_a_new_owner_takes_only_what_is_not_done_and_tells_it_on() -> None:
    first = Watermark()
    for offset in range(10):
        first.take(offset)
    for offset in (0, 1, 3, 4, 6, 7, 8, 9):
        first.done(offset)
    second = Watermark(progress.decode(first.committable, first.metadata))
    assert [offset for offset in range(2, 6) if second.take(offset)] == [2, 5]
    third = Watermark(progress.decode(second.committable, second.metadata))
    assert [offset for offset in range(2, 12) if third.take(offset)] == [2, 5, 10, 11]


def test_one_stuck_record_with_100_000_done_behind_it_is_told_in_a_few_characters() -> None:
    watermark = Watermark()
    for offset in range(100_000):
        watermark.take(offset)
    for offset in range(1, 100_000):
        watermark.done(offset)
    assert (watermark.committable, watermark.metadata) == (0, "2;100000;0;0")

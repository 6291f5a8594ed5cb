"""What may be committed, against a model that keeps every offset."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.intake import progress
from bridge.intake.watermark import Watermark


class Model(RuleBasedStateMachine):
    """Records are taken in the order of the log, with gaps, and done in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.watermark = Watermark()
        self.next = 0
        self.in_hand: list[int] = []
        self.starts: set[int] = set()

    @rule(gap=st.integers(0, 3), begins=st.booleans())
    def take(self, gap: int, *, begins: bool) -> None:
        offset = self.next + gap
        self.watermark.take(offset)
        if begins:
            self.starts.add(offset)
        else:
            self.watermark.begins_nothing(offset)
        self.in_hand.append(offset)
        self.next = offset + 1

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        offset = data.draw(st.sampled_from(self.in_hand))
        self.watermark.done(offset)
        self.in_hand.remove(offset)

    @rule(ahead=st.integers(-2, 5))
    def move(self, ahead: int) -> None:
        position = max(0, self.next + ahead)
        self.watermark.move_to(position)
        self.next = max(self.next, position)

    @invariant()
    def nothing_unfinished_is_committed(self) -> None:
        assert self.watermark.committable == min(self.in_hand, default=self.next)
        assert self.watermark.pending == len(self.in_hand)

    @invariant()
    def starts_are_done_up_to_the_first_in_hand(self) -> None:
        assert self.watermark.starts_done == min(self.starts.intersection(self.in_hand), default=self.next)


TestWatermark = Model.TestCase


def test_an_offset_that_was_taken_before_is_refused() -> None:
    watermark = Watermark()
    watermark.take(5)
    with pytest.raises(ValueError, match="offset 5 comes after 5"):
        watermark.take(5)


def test_a_stuck_record_does_not_make_the_watermark_hold_what_is_done_behind_it() -> None:
    watermark = Watermark()
    for offset in range(100_000):
        watermark.take(offset)
    for offset in range(1, 100_000):
        watermark.done(offset)
    assert (watermark.committable, watermark.pending) == (0, 1)


def test_what_an_owner_before_us_did_of_the_starts_counts_before_we_come_to_it() -> None:
    first = Watermark()
    for offset in range(10):
        first.take(offset)
        first.begins_nothing(offset)
    second = Watermark(progress.decode(first.committable, first.metadata))
    second.take(0)
    second.begins_nothing(0)
    assert (second.starts_done, progress.decode(0, second.metadata).starts_done) == (10, 10)


def test_a_log_that_begins_anew_has_nothing_done_of_what_another_had() -> None:
    watermark = Watermark(progress.Done(committed=100, position=150, pending=frozenset({100}), starts_done=150))
    assert [watermark.take(offset) for offset in (0, 100, 120)] == [True] * 3
    assert (watermark.committable, watermark.starts_done) == (0, 0)

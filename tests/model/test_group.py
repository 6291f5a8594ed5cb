"""Members that come, go, die and freeze between records that end in any order, against a reference that is plain sets.

Held at every step: nothing is committed before it is done, what a commit tells is true, records of a key are begun in
order, what was told to be done is not done again, and no more is in hand or waiting than may be. At the end, whatever
has happened, everything is done and committed.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

from aiokafka import TopicPartition
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bridge.intake import progress
from tests.fuzz import effort
from tests.model.broker import PARTITIONS, DiedError
from tests.model.group import POLLED_MAX, Decide, Group
from tests.model.member import WAITING_MAX, Member

Agains: TypeAlias = list[timedelta | None]
Answers: TypeAlias = list[tuple[int, timedelta | None]]

MEMBERS_MAX = 3
AT_ONCE = timedelta(0)

partitions = st.sampled_from(PARTITIONS)
numbers = st.integers(0, 7)
gaps = st.sampled_from([0, 0, 0, 1, 3])
kinds = st.sampled_from(["start", "signal", "signal", "bad"])
again = st.sampled_from([None, None, None, AT_ONCE])
answers = st.lists(st.tuples(numbers, again), max_size=5)
agains = st.lists(again, min_size=8, max_size=8)


class Doings(RuleBasedStateMachine):
    """What may happen to a group."""

    def __init__(self) -> None:
        super().__init__()
        self.group = Group()

    @rule(tp=partitions, arriving=st.lists(st.tuples(gaps, st.sampled_from("abc"), kinds), min_size=1, max_size=6))
    def records_arrive(self, tp: TopicPartition, arriving: list[tuple[int, str, str]]) -> None:
        for gap, key, kind in arriving:
            self.group.broker.append(tp, gap, key, starts=kind == "start", bad=kind == "bad")

    @rule(tp=partitions)
    def the_log_ends_with_a_marker(self, tp: TopicPartition) -> None:
        self.group.broker.pad(tp, 1)

    @precondition(lambda self: self.group.working)
    @rule(number=numbers, count=st.integers(0, POLLED_MAX), answers=answers, commits=st.booleans())
    def a_member_works(self, number: int, count: int, answers: Answers, *, commits: bool) -> None:
        member = one_of(self.group.working, number)
        if count:
            member.poll(count)
        for which, again in answers:
            if member.in_hand:
                member.answer(which, again)
        if commits:
            member.commit()

    @precondition(lambda self: len(self.group.joined) < MEMBERS_MAX)
    @rule()
    def another_joins(self) -> None:
        self.group.join()

    @precondition(lambda self: len(self.group.joined) > 1 and self.group.is_stable)
    @rule(number=numbers, agains=agains)
    def one_drains_and_leaves(self, number: int, agains: Agains) -> None:
        self.group.leave(one_of(self.group.joined, number), deciding(agains))

    @precondition(lambda self: self.group.joined)
    @rule(number=numbers, taken=st.booleans(), agains=agains)
    def one_dies(self, number: int, *, taken: bool, agains: Agains) -> None:
        """Its records may have had their effect: it did not come to say so."""
        member = one_of(self.group.joined, number)
        for begun in member.in_hand if taken else ():
            self.group.reference.effects[begun.tp].add(begun.offset)
        self.group.lose(member, deciding(agains))

    @precondition(lambda self: self.group.is_stable and self.group.joined)
    @rule(number=numbers, agains=agains)
    def one_dies_of_what_it_reads(self, number: int, agains: Agains) -> None:
        member = one_of(self.group.joined, number)
        member.consumer.dies = True
        try:
            member.poll(1)
        except DiedError:
            self.group.lose(member, deciding(agains))
        member.consumer.dies = False

    @precondition(lambda self: len(self.group.joined) > 1 and self.group.is_stable)
    @rule(number=numbers, agains=agains)
    def one_freezes_and_the_others_go_on(self, number: int, agains: Agains) -> None:
        self.group.freeze(one_of(self.group.joined, number), deciding(agains))

    @precondition(lambda self: self.group.frozen)
    @rule(number=numbers, which=numbers, polled=st.integers(0, 2))
    def a_frozen_one_goes_on_as_if_nothing_had_been(self, number: int, which: int, polled: int) -> None:
        member = one_of(self.group.frozen, number)
        if polled:
            member.poll(polled)
        if member.in_hand:
            member.answer(which, None)
        member.commit()

    @precondition(lambda self: self.group.frozen)
    @rule(number=numbers)
    def a_frozen_one_learns_of_it_and_joins_again(self, number: int) -> None:
        self.group.thaw(one_of(self.group.frozen, number))

    @precondition(lambda self: not self.group.is_stable and self.group.joined)
    @rule(agains=agains, polled=st.integers(0, 3))
    def the_partitions_are_given_out(self, agains: Agains, polled: int) -> None:
        self.group.give_out(deciding(agains), polled)

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.group.reference.check()
        for tp, (offset, metadata) in self.group.broker.committed.items():
            done = progress.decode(offset, metadata)
            self.group.reference.check_told(tp, done, done.starts_done)

    @invariant()
    def what_waits_is_bounded_and_what_pauses_is_known(self) -> None:
        for member in self.group.members:
            held = member.intake.taking.assignment.partitions
            assert sum(one.watermark.pending for one in held.values()) <= WAITING_MAX + len(PARTITIONS) * POLLED_MAX
            if member.draining is None:
                assert {tp for tp, one in held.items() if one.paused} <= member.consumer.paused()

    def teardown(self) -> None:
        """Let everything be well again: then everything must come to its end."""
        try:
            self.group.heal()
            self.group.reference.check()
            assert self.group.reference.is_done(), f"{self.group.broker.committed} of {self.group.broker.ends}"
        finally:
            self.group.close()


def one_of(members: Sequence[Member], number: int) -> Member:
    return members[number % len(members)]


def deciding(agains: Agains) -> Decide:
    """Return what says of one record after the other how it ends; with no end to retries no drain would end."""
    left = list(agains)
    return lambda: left.pop() if left else None


def test_whatever_members_do_nothing_is_lost_told_falsely_out_of_order_or_stuck() -> None:
    run_state_machine_as_test(Doings, settings=effort.settings(30, steps=40))

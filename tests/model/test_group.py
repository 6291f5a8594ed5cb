"""Members that come, go, die and freeze between records that end in any order, against a reference that is plain sets.

Held at every step: nothing is committed before it is done, what a commit tells is true, records of a key are begun in
order, what was told to be done is not done again, and no more is in hand or waiting than may be. At the end, whatever
has happened, everything is done and committed.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeAlias

from aiokafka import TopicPartition
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bridge.intake import progress
from tests.fuzz import effort
from tests.model.broker import PARTITIONS, Broker, DiedError
from tests.model.member import IN_FLIGHT_MAX, WAITING_MAX, Member
from tests.model.reference import Reference

Decide: TypeAlias = Callable[[], timedelta | None]
"""How a record that is in hand ends: None, or when it is tried again."""
Answers: TypeAlias = list[tuple[int, timedelta | None]]
Agains: TypeAlias = list[timedelta | None]

MEMBERS_MAX = 3
POLLED_MAX = 6
ROUNDS_MAX = 60
AT_ONCE = timedelta(0)

partitions = st.sampled_from(PARTITIONS)
numbers = st.integers(0, 7)
gaps = st.sampled_from([0, 0, 0, 1, 3])
kinds = st.sampled_from(["start", "signal", "signal", "bad"])
again = st.sampled_from([None, None, None, AT_ONCE])
answers = st.lists(st.tuples(numbers, again), max_size=5)
agains = st.lists(again, min_size=8, max_size=8)


class Group(RuleBasedStateMachine):
    """A rebalance has two steps, as the members' drains take time: others come between."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.broker = Broker()
        self.reference = Reference(self.broker, IN_FLIGHT_MAX)
        self.broker.took = self.reference.commits
        self.members: list[Member] = []
        self.is_stable = True
        self.frozen: list[Member] = []
        self.join()
        self.rebalanced(lambda: None, 0)

    def joined(self) -> list[Member]:
        return [member for member in self.members if member.in_group]

    def working(self) -> list[Member]:
        return [member for member in self.members if member.alive and member not in self.frozen]

    def join(self) -> None:
        self.members.append(Member(self.loop, self.broker, self.reference))
        self.unsettle()

    def unsettle(self) -> None:
        """Have every member that the group counts in drain, but a frozen one."""
        self.is_stable = False
        for member in self.joined():
            if member.draining is None and member.consumer.assignment():
                member.begin(member.intake.on_partitions_revoked(member.consumer.assignment()))

    def rebalanced(self, decide: Decide, polled: int) -> None:
        """Give the partitions out, once all have drained; members may poll before they know what they own."""
        joined = self.joined()
        for member in joined:
            member.drain(decide)
        self.broker.owners.clear()
        shares = {member: set(PARTITIONS[number :: len(joined)]) for number, member in enumerate(joined)}
        for member, share in shares.items():
            self.broker.owners.update(dict.fromkeys(share, member.consumer))
        for member, share in shares.items():
            member.consumer.assign(share)
            self.reference.joins(member, share)
            assigned = self.loop.create_task(member.intake.on_partitions_assigned(share))
            if polled:
                member.poll(polled)
            self.loop.run_until_complete(assigned)
        self.is_stable = True

    @rule(tp=partitions, arriving=st.lists(st.tuples(gaps, st.sampled_from("abc"), kinds), min_size=1, max_size=6))
    def records_arrive(self, tp: TopicPartition, arriving: list[tuple[int, str, str]]) -> None:
        for gap, key, kind in arriving:
            self.broker.append(tp, gap, key, starts=kind == "start", bad=kind == "bad")

    @rule(tp=partitions)
    def the_log_ends_with_a_marker(self, tp: TopicPartition) -> None:
        self.broker.pad(tp, 1)

    @precondition(lambda self: self.working())
    @rule(number=numbers, count=st.integers(0, POLLED_MAX), answers=answers, commits=st.booleans())
    def a_member_works(self, number: int, count: int, answers: Answers, *, commits: bool) -> None:
        member = one_of(self.working(), number)
        if count:
            member.poll(count)
        for which, again in answers:
            if member.in_hand:
                member.answer(which, again)
        if commits:
            member.commit()

    @precondition(lambda self: len(self.joined()) < MEMBERS_MAX)
    @rule()
    def another_joins(self) -> None:
        self.join()

    @precondition(lambda self: len(self.joined()) > 1 and self.is_stable)
    @rule(number=numbers, agains=agains)
    def one_drains_and_leaves(self, number: int, agains: Agains) -> None:
        member = one_of(self.joined(), number)
        member.begin(member.intake.finish())
        member.drain(deciding(agains))
        member.end()
        self.unsettle()

    @precondition(lambda self: self.joined())
    @rule(number=numbers, taken=st.booleans(), agains=agains)
    def one_dies(self, number: int, *, taken: bool, agains: Agains) -> None:
        """Its records may have had their effect: it did not come to say so."""
        member = one_of(self.joined(), number)
        for begun in member.in_hand if taken else ():
            self.reference.effects[begun.tp].add(begun.offset)
        member.end()
        if not self.joined():
            self.join()
        self.unsettle()
        self.rebalanced(deciding(agains), 0)

    @precondition(lambda self: self.is_stable and self.joined())
    @rule(number=numbers, agains=agains)
    def one_dies_of_what_it_reads(self, number: int, agains: Agains) -> None:
        member = one_of(self.joined(), number)
        member.consumer.dies = True
        try:
            member.poll(1)
        except DiedError:
            self.one_dies(number, taken=False, agains=agains)
        member.consumer.dies = False

    @precondition(lambda self: len(self.joined()) > 1 and self.is_stable)
    @rule(number=numbers, agains=agains)
    def one_freezes_and_the_others_go_on(self, number: int, agains: Agains) -> None:
        member = one_of(self.joined(), number)
        member.in_group = False
        self.frozen.append(member)
        self.unsettle()
        self.rebalanced(deciding(agains), 0)

    @precondition(lambda self: self.frozen)
    @rule(number=numbers, which=numbers, polled=st.integers(0, 2))
    def a_frozen_one_goes_on_as_if_nothing_had_been(self, number: int, which: int, polled: int) -> None:
        member = one_of(self.frozen, number)
        if polled:
            member.poll(polled)
        if member.in_hand:
            member.answer(which, None)
        member.commit()

    @precondition(lambda self: self.frozen)
    @rule(number=numbers)
    def a_frozen_one_learns_of_it_and_joins_again(self, number: int) -> None:
        member = one_of(self.frozen, number)
        self.frozen.remove(member)
        member.in_group = True
        self.unsettle()

    @precondition(lambda self: not self.is_stable and self.joined())
    @rule(agains=agains, polled=st.integers(0, 3))
    def the_partitions_are_given_out(self, agains: Agains, polled: int) -> None:
        self.rebalanced(deciding(agains), polled)

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.reference.check()
        for tp, (offset, metadata) in self.broker.committed.items():
            done = progress.decode(offset, metadata)
            self.reference.check_told(tp, done, done.starts_done)

    @invariant()
    def what_waits_is_bounded(self) -> None:
        for member in self.members:
            partitions = member.intake._assignment.partitions
            waiting = sum(one.watermark.pending for one in partitions.values())
            assert waiting <= WAITING_MAX + len(PARTITIONS) * POLLED_MAX
            assert {tp for tp, one in partitions.items() if one.paused} <= member.consumer.paused() | (
                set() if member.draining is None else set(PARTITIONS)
            )

    def teardown(self) -> None:
        """Let everything be well again: then everything must come to its end."""
        try:
            for member in self.frozen:
                member.in_group = True
            self.frozen.clear()
            if not self.joined():
                self.join()
            self.unsettle()
            self.rebalanced(lambda: None, 0)
            for _ in range(ROUNDS_MAX):
                for member in self.joined():
                    member.poll(POLLED_MAX)
                    while member.in_hand:
                        member.answer(0, None)
                    member.commit()
                if self.reference.is_done():
                    break
            self.reference.check()
            assert self.reference.is_done(), f"{self.broker.committed} of {self.broker.ends}"
        finally:
            for member in self.members:
                member.end()
            self.loop.close()


def one_of(members: Sequence[Member], number: int) -> Member:
    return members[number % len(members)]


def deciding(agains: Agains) -> Decide:
    """Return what says of one record after the other how it ends; with no end to retries no drain would end."""
    left = list(agains)
    return lambda: left.pop() if left else None


def test_whatever_members_do_nothing_is_lost_told_falsely_out_of_order_or_stuck() -> None:
    run_state_machine_as_test(Group, settings=effort.settings(60, steps=40))

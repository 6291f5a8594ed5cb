"""When partitions pause and resume, and what of them is committed."""

from aiokafka import TopicPartition
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.command import Record
from bridge.intake import assignment as module
from bridge.intake import progress
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.watermark import Watermark
from tests.engine.records import record


def free(_: TopicPartition) -> bool:
    return False


PLACES = [TopicPartition("t", number) for number in range(3)]


def assigned(waiting_max: int = 10, count: int = 3, end_offset: int = 0) -> Assignment:
    held = Assignment(waiting_max)
    for tp in PLACES[:count]:
        held.partitions[tp] = Partition(Watermark(), end_offset=end_offset)
    return held


def at(offset: int, value: bytes = b"v") -> Record:
    return record(value, offset=offset, key=None)


def fill(held: Assignment, tp: TopicPartition, count: int, value: bytes = b"v") -> list[Record]:
    taken = [at(offset, value) for offset in range(count)]
    for one in taken:
        held.partitions[tp].take(one.offset, one.size_bytes)
    return taken


def done(held: Assignment, one: Record) -> None:
    held.partitions[PLACES[0]].done(one.offset, one.size_bytes)


def test_nothing_pauses_below_the_limit() -> None:
    held = assigned()
    fill(held, PLACES[0], 9)
    assert held.to_pause(free) == []


def test_the_partition_that_holds_more_than_its_share_pauses_alone() -> None:
    held = assigned()
    fill(held, PLACES[0], 9)
    fill(held, PLACES[1], 1)
    assert held.to_pause(free) == [PLACES[0]]


def test_a_paused_partition_is_not_paused_twice() -> None:
    held = assigned()
    fill(held, PLACES[0], 10)
    assert [held.to_pause(free), held.to_pause(free), held.paused] == [[PLACES[0]], [], 1]


def test_a_partition_resumes_below_half_of_its_share_and_not_before() -> None:
    held = assigned(waiting_max=10, count=1)
    taken = fill(held, PLACES[0], 10)
    held.to_pause(free)
    for one in taken[:5]:
        done(held, one)
    assert held.to_resume(free) == []
    done(held, taken[5])
    assert (held.to_resume(free), held.paused) == ([PLACES[0]], 0)


def test_bytes_pause_too() -> None:
    held = assigned(waiting_max=1000, count=1)
    fill(held, PLACES[0], 2, bytes(module.WAITING_BYTES_MAX // 2))
    assert held.to_pause(free) == [PLACES[0]]


def test_a_record_at_the_end_of_the_log_is_new_and_one_before_it_is_not() -> None:
    held = assigned(end_offset=5)
    assert [held.partitions[PLACES[0]].is_new(offset) for offset in (4, 5)] == [False, True]


def test_only_what_moved_since_the_last_commit_is_committed() -> None:
    held = assigned()
    taken = fill(held, PLACES[0], 2)
    done(held, taken[0])
    assert held.to_commit({}) == {PLACES[0]: (1, "")}
    held.committed({PLACES[0]: (1, "")})
    assert held.to_commit({}) == {}


def test_the_position_of_an_idle_partition_is_committed_over_a_gap() -> None:
    held = assigned()
    (only,) = fill(held, PLACES[0], 1)
    done(held, only)
    assert held.to_commit({PLACES[0]: 7}) == {PLACES[0]: (7, "")}


def test_what_is_done_behind_a_stuck_record_is_committed_as_soon_as_it_is_done() -> None:
    held = assigned()
    first, second, third = fill(held, PLACES[0], 3)
    done(held, first)
    held.committed(held.to_commit({}))
    done(held, third)
    (told,) = held.to_commit({}).values()
    assert [offset in progress.decode(*told) for offset in (first.offset, second.offset, third.offset)] == [
        False,
        False,
        True,
    ]


def test_a_held_partition_pauses_at_once_and_resumes_when_it_is_let_go() -> None:
    held = assigned()
    assert held.to_pause(lambda tp: tp == PLACES[1]) == [PLACES[1]]
    assert held.to_resume(lambda tp: tp == PLACES[1]) == []
    assert held.to_resume(free) == [PLACES[1]]


class Pressure(RuleBasedStateMachine):
    """A consumer that polls as the intake does: what is paused brings nothing."""

    LIMIT, POLLED = 12, 4

    def __init__(self) -> None:
        super().__init__()
        self.held = assigned(self.LIMIT)
        self.offsets = dict.fromkeys(PLACES, 0)
        self.in_hand: dict[TopicPartition, list[Record]] = {tp: [] for tp in PLACES}
        self.paused: set[TopicPartition] = set()

    @rule(tp=st.sampled_from(PLACES), count=st.integers(1, POLLED))
    def poll(self, tp: TopicPartition, count: int) -> None:
        for _ in range(count if tp not in self.paused else 0):
            one = at(self.offsets[tp])
            self.held.partitions[tp].take(one.offset, one.size_bytes)
            self.in_hand[tp].append(one)
            self.offsets[tp] += 1
        self._balance()

    @precondition(lambda self: any(self.in_hand.values()))
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        tp = data.draw(st.sampled_from([tp for tp in PLACES if self.in_hand[tp]]))
        one = self.in_hand[tp].pop(data.draw(st.integers(0, len(self.in_hand[tp]) - 1)))
        self.held.partitions[tp].done(one.offset, one.size_bytes)
        self._balance()

    def _balance(self) -> None:
        self.paused.update(self.held.to_pause(free))
        self.paused.difference_update(self.held.to_resume(free))

    @invariant()
    def what_waits_is_bounded(self) -> None:
        assert sum(map(len, self.in_hand.values())) < 2 * self.LIMIT + self.POLLED

    @invariant()
    def nobody_starves(self) -> None:
        assert {tp for tp in self.paused if not self.in_hand[tp]} == set()


TestPressure = Pressure.TestCase

"""Each law is kept by what should pass, and broken by the least that should not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults import laws
from tests.faults.evidence import Effect, Event, Evidence, Letter, Progress, Run, Sample, Usage
from tests.faults.ledger import Entry

PARTITION = ("lead.score", 0)


def entry(number: int, **rest: object) -> Entry:
    made = Entry(f"c{number}", "sound", "lead.score", "k", "lead-k", number, ("lead.score", 0, number))
    return replace(made, **rest)  # type: ignore[arg-type]  # the tests give fields of the right types


def effect(number: int, what: str = "signalled", at_ms: float = 100.0) -> Effect:
    return Effect(f"c{number}", "lead-k", "run", what, at_ms)  # type: ignore[arg-type]  # one of its three words


def answer(number: int, kind: str = "command.accepted", content: bytes = b"") -> Event:
    return Event(f"reply-{number}", kind, "run", f"c{number}", content)


def told(kind: str, run_id: str = "run", event_id: str | None = None, content: bytes = b"") -> Event:
    return Event(event_id or f"{kind}-{run_id}", kind, run_id, "c0", content)


KEPT = Evidence(
    entries=(entry(0), entry(1), entry(2)),
    effects=(effect(0, "started"), effect(0), effect(1)),
    runs=(Run("lead-k", "run", closed=True),),
    letters=(Letter(("lead.score", 0, 2), "invalid", 100.0),),
    answers=(answer(0), answer(1), answer(2, laws.REJECTED)),
    lifecycle=(told(laws.STARTED), told("workflow.completed")),
    samples=(Sample(50.0, {PARTITION: 0}), Sample(150.0, {PARTITION: 3})),
    usage=(Usage("member", 1, 1, 256),),
    committed={PARTITION: 3},
    ends={PARTITION: 3},
)


@pytest.mark.parametrize("law", laws.LAWS.values(), ids=laws.LAWS)
def test_what_should_pass_breaks_no_law(law: Callable[[Evidence], list[str]]) -> None:
    assert law(KEPT) == []


@pytest.mark.parametrize(
    ("law", "found"),
    [
        (laws.nothing_lost, replace(KEPT, effects=KEPT.effects[:2])),
        (laws.nothing_lost, replace(KEPT, letters=(), answers=(answer(0), answer(1), answer(2)))),
        (laws.nothing_lost, replace(KEPT, answers=KEPT.answers[1:])),
        (laws.nothing_lost, replace(KEPT, answers=(*KEPT.answers, answer(1, laws.REJECTED)))),
        (laws.nothing_doubled, replace(KEPT, effects=(*KEPT.effects, effect(1)))),
        (laws.nothing_doubled, replace(KEPT, effects=(effect(0, "started"), *KEPT.effects))),
        (laws.nothing_doubled, replace(KEPT, effects=(*KEPT.effects, effect(2)))),
        (laws.nothing_doubled, replace(KEPT, entries=(entry(0, kind="aborted"), *KEPT.entries[1:]))),
        (laws.in_order, replace(KEPT, effects=(effect(0, "started"), effect(1), effect(0)))),
        (laws.in_order, replace(KEPT, effects=(effect(0), effect(0, "started"), effect(1)))),
        (laws.in_order, replace(KEPT, effects=(effect(0, "started"), effect(1, "updated"), effect(0, "updated")))),
        (laws.every_end_announced_once, replace(KEPT, lifecycle=KEPT.lifecycle[:1])),
        (laws.every_end_announced_once, replace(KEPT, lifecycle=KEPT.lifecycle[1:])),
        (
            laws.every_end_announced_once,
            replace(KEPT, lifecycle=(*KEPT.lifecycle, told("workflow.completed", event_id="another"))),
        ),
        (
            laws.every_end_announced_once,
            replace(KEPT, lifecycle=(*KEPT.lifecycle, told("workflow.completed", content=b"with a clock in it"))),
        ),
        (laws.every_end_announced_once, replace(KEPT, answers=(*KEPT.answers, answer(0, content=b"differs")))),
        (laws.committed_behind_outcomes, replace(KEPT, samples=(Sample(99.0, {PARTITION: 1}),))),
        (laws.committed_behind_outcomes, replace(KEPT, samples=(*KEPT.samples, Sample(200.0, {PARTITION: 2})))),
        (laws.committed_behind_outcomes, replace(KEPT, committed={PARTITION: 2})),
        (laws.bounded, replace(KEPT, usage=(Usage("member", 1, 1, 257),))),
        (laws.bounded, replace(KEPT, usage=(Usage("member", 1 << 40, 1, 0),))),
        (laws.bounded, replace(KEPT, usage=(Usage("member", 1, 10_000, 0),))),
        (
            laws.bounded,
            replace(KEPT, usage=tuple(Usage("member", 1, 30 + 2 * each, 0) for each in range(laws.LOOKS_MIN))),
        ),
    ],
)
def test_the_least_that_should_not_pass_breaks_its_law(law: Callable[[Evidence], list[str]], found: Evidence) -> None:
    assert len(law(found)) == 1


def test_descriptors_of_who_was_looked_at_while_it_started_prove_nothing() -> None:
    looks = tuple(Usage("member", 1, each, 0) for each in (3, 26))
    assert laws.bounded(replace(KEPT, usage=looks)) == []


def test_a_record_whose_acknowledgement_never_came_may_be_lost_but_not_doubled() -> None:
    unknown = replace(KEPT, entries=(*KEPT.entries, entry(3, place=None)))
    assert laws.nothing_lost(unknown) == []
    doubled = replace(unknown, effects=(*KEPT.effects, effect(3), effect(3)))
    assert laws.nothing_doubled(doubled) == ["c3 signalled 2 times"]


def test_a_stall_is_the_longest_time_without_an_answer_while_some_are_due() -> None:
    rows = [(0, 5, 5), (1000, 5, 5), (2000, 9, 5), (4000, 9, 5), (5000, 9, 6), (6000, 9, 9), (60_000, 9, 9)]
    found = Evidence(progress=tuple(Progress(*row) for row in rows))
    assert laws.longest_stall(found) == 2.0
    assert laws.never_stuck(found, 2.0) == []
    assert laws.never_stuck(found, 1.9) == ["no answer for 2.0 s, 1.9 s are allowed"]


def test_what_waits_after_a_fault_has_twice_its_time_and_what_clients_need_to_come_back() -> None:
    healed_at_ms, slow, slower = 10_000.0, 36_000.0, 36_200.0  # 70 of 100 are due then, at ten a second
    rows = [(0, 100, 0), (3000, 100, 30), (10_000, 100, 30), (29_000, 100, 30)]
    for end, found_broken in ((slow, False), (slower, True)):
        seen = [*rows, (end - 7000, 100, 30), (end, 100, 100)]
        found = Evidence(progress=tuple(Progress(*row) for row in seen))
        assert laws.pace(found) == 10.0
        assert bool(laws.recovered(found, healed_at_ms)) is found_broken
    assert laws.recovered(found, None) == []
    assert laws.recovered(found, seen[-1][0] + 1.0) == ["nothing was looked at after the fault"]


def test_what_is_sent_after_a_fault_is_work_too() -> None:
    # From 10 s on 50 a second are sent for 8 s, on top of one, and 20 a second answered: work of 19 s.
    rows = [(10_000 + second * 1000, 101 + 50 * min(second, 8), 100 + 20 * second) for second in range(20)]
    for idle_after_ms, found_broken in ((50_000, False), (50_200, True)):
        seen = [*rows, (10_000 + idle_after_ms, 501, 480), (10_100 + idle_after_ms, 501, 501)]
        found = Evidence(progress=tuple(Progress(*row) for row in seen))
        assert bool(laws.recovered(found, 10_000.0)) is found_broken


def test_a_fault_that_did_not_hit_makes_the_run_void() -> None:
    enough = Evidence(entries=tuple(entry(number) for number in range(laws.COMMANDS_MIN)))
    assert laws.counts(enough, {"killed in flight": 3}) == []
    assert laws.counts(enough, {"killed in flight": 0}) == ["void: killed in flight is 0"]
    assert laws.counts(KEPT, {}) == ["void: 3 commands, 1000 are needed"]


def test_records_that_were_worked_on_again_are_counted_by_their_answers() -> None:
    assert laws.redelivered(replace(KEPT, answers=(*KEPT.answers, answer(0), answer(1)))) == 2

"""A bug counts as caught where its code ran and the tests say which law it breaks; nothing else counts."""

import dataclasses

import pytest

from tests.planted import verdict
from tests.planted.table import BUGS
from tests.planted.verdict import Run, Verdict

BUG = next(bug for bug in BUGS if bug.name == "order_lost")
TOLD = "AssertionError: seed 0x1 {'L3 order': (2, ['f1-lead1 of lead.score: number 1 stands behind 2', 'another'])}"
CAUGHT = Run(1, 1.0, {"test_signals": TOLD}, planted=1, met=1)
GREEN = Run(0, 1.0, {})


def test_a_bug_is_caught_where_a_test_tells_of_its_law() -> None:
    told = "'f1-lead1 of lead.score: number 1 stands behind 2'"
    assert verdict.of_bug(BUG, CAUGHT) == Verdict(None, "test_signals", told)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (dataclasses.replace(CAUGHT, planted=0, met=0), "no process had it planted"),
        (dataclasses.replace(CAUGHT, met=0), "the wrong code never ran"),
        (dataclasses.replace(CAUGHT, failed=("bridge.x has no y",)), "could not be planted: bridge.x has no y"),
        (dataclasses.replace(CAUGHT, code=0, failures={}), "not caught: the tests stay green"),
        (dataclasses.replace(CAUGHT, failures={"t": "no port"}), "red, but not for L3 order: no port"),
        (dataclasses.replace(CAUGHT, failures={}, broken=("t",)), "void: could not be begun or ended: t"),
        (dataclasses.replace(CAUGHT, code=4, failures={}), "red, but not for L3 order: code 4"),
    ],
)
def test_a_bug_is_not_caught(run: Run, why: str) -> None:
    assert verdict.of_bug(BUG, run) == Verdict(why)


def test_a_run_without_a_bug_is_green() -> None:
    assert verdict.of_control(GREEN) == Verdict(None)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (Run(1, 1.0, {"t": "x"}), "red without a bug: ['t']"),
        (dataclasses.replace(GREEN, planted=1), "a bug was planted in the run that has none"),
    ],
)
def test_a_run_without_a_bug_that_is_red_or_has_one_proves_nothing(run: Run, why: str) -> None:
    assert verdict.of_control(run) == Verdict(why)

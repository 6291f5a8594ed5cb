"""The rate of a route: turns, evenly spaced, with a tenth of a second's worth at once."""

from datetime import timedelta

import pytest

from bridge.dispatch.rates import Rates
from bridge.routes import Route, Verb

HOLDER = object()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def route(rate: float | None, command: str = "a.b") -> Route:
    return Route(command=command, verb=Verb.CANCEL, id="x", rate=rate)


def turns(rates: Rates, count: int, row: Route, holder: object = HOLDER) -> list[float]:
    return [round(rates.turn(row, holder) / timedelta(seconds=1), 6) for _ in range(count)]


def test_without_a_rate_everything_goes_at_once() -> None:
    assert turns(Rates(Clock()), 3, route(None)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("rate", "expected"), [(2, [0, 0.5, 1, 1.5]), (10, [0, 0.1, 0.2, 0.3]), (20, [0, 0, 0.05, 0.1])]
)
def test_turns_are_as_far_apart_as_the_rate_says(rate: float, expected: list[float]) -> None:
    assert turns(Rates(Clock()), 4, route(rate)) == expected


def test_what_was_not_used_is_not_saved_up() -> None:
    clock = Clock()
    rates = Rates(clock)
    turns(rates, 1, route(20))
    clock.now += 3600
    assert turns(rates, 3, route(20)) == [0, 0, 0.05]


def test_over_time_the_rate_is_kept() -> None:
    clock = Clock()
    rates = Rates(clock)
    count = 0
    while clock.now < 1010.0:
        wait = rates.turn(route(100), HOLDER).total_seconds()
        clock.now += wait
        count += 1
    assert 1000 <= count <= 1012


def test_each_route_has_its_own_turns() -> None:
    rates = Rates(Clock())
    assert (turns(rates, 2, route(1)), turns(rates, 1, route(1, "c.d"))) == ([0, 1], [0])


def test_turns_of_commands_that_went_with_their_partitions_are_free_again() -> None:
    rates = Rates(Clock())
    assert turns(rates, 3, route(1)) == [0, 1, 2]
    assert turns(rates, 2, route(1), object()) == [0, 1]

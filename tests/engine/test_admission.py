"""How many commands may be with Temporal at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import structlog.testing

from bridge.dispatch.admission import LIMIT_MIN, Admission
from bridge.dispatch.failures import NoWorkerYetError, OverloadedError
from bridge.errors import TemporalAwayError
from tests.engine.kafka_side import until


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taking(clock: Clock, seconds: float) -> Callable[[], Awaitable[str]]:
    async def call() -> str:
        clock.now += seconds
        return "done"

    return call


async def overloaded() -> str:
    raise OverloadedError("too much")


async def refuse(admission: Admission, clock: Clock, times: int) -> None:
    for _ in range(times):
        with pytest.raises(OverloadedError):
            await admission.run(overloaded)
        clock.now += 1


async def test_no_more_than_the_limit_are_let_through_and_the_rest_in_order() -> None:
    admission, running, order = Admission(2), asyncio.Event(), []

    async def one(number: int) -> None:
        async def call() -> None:
            order.append(number)
            await running.wait()

        await admission.run(call)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(one(number))
        await until(lambda: len(order) == 2, "two are let through")
        assert (order, admission.in_use) == ([0, 1], 2)
        running.set()
    assert (order, admission.in_use) == ([0, 1, 2, 3, 4], 0)


def failing(clock: Clock, seconds: float, error: Exception) -> Callable[[], Awaitable[str]]:
    async def call() -> str:
        clock.now += seconds
        raise error

    return call


@pytest.mark.parametrize(
    ("seconds", "error", "limit"),
    [
        (10.0, TemporalAwayError("CANCELLED: Timeout expired"), 128),
        (0.01, TemporalAwayError("connection refused"), 256),
        (5.0, NoWorkerYetError("no worker has taken the update"), 256),
    ],
)
async def test_a_call_that_timed_out_lowers_the_limit_and_one_that_was_refused_or_waits_for_a_worker_does_not(
    seconds: float, error: Exception, limit: float
) -> None:
    clock = Clock()
    admission = Admission(256, clock)
    with pytest.raises(type(error)):
        await admission.run(failing(clock, seconds, error))
    assert admission.limit == limit


async def test_a_server_that_asks_for_less_is_told_of_once_a_minute() -> None:
    clock = Clock()
    admission = Admission(100, clock)
    with structlog.testing.capture_logs() as told:
        await refuse(admission, clock, 90)
    assert [(line["event"], line["problem"], line["at_once_now"]) for line in told] == [
        ("temporal asks for less", "too much", 70),
        ("temporal asks for less", "too much", 4),
    ]


async def test_the_limit_falls_while_the_server_asks_for_less_and_not_below_its_least() -> None:
    clock = Clock()
    admission = Admission(256, clock)
    await refuse(admission, clock, 3)
    assert admission.limit == pytest.approx(256 * 0.7**3)
    await refuse(admission, clock, 50)
    assert admission.limit == LIMIT_MIN


async def test_refusals_of_one_moment_count_once() -> None:
    clock = Clock()
    admission = Admission(100, clock)
    for _ in range(10):
        with pytest.raises(OverloadedError):
            await admission.run(overloaded)
    assert admission.limit == pytest.approx(70)


async def test_the_limit_recovers_to_nine_tenths_within_ten_thousand_commands() -> None:
    clock = Clock()
    admission = Admission(256, clock)
    await refuse(admission, clock, 20)
    for _ in range(10_000):
        await admission.run(taking(clock, 0.004))
    assert admission.limit >= 0.9 * 256


async def test_the_limit_falls_when_answers_become_slow_and_not_when_they_are_slow_from_the_start() -> None:
    clock = Clock()
    admission = Admission(100, clock)
    await admission.run(taking(clock, 0.01))
    for _ in range(100):
        await admission.run(taking(clock, 2.0))
    assert admission.limit < 50
    steady = Admission(100, clock)
    for _ in range(100):
        await steady.run(taking(clock, 2.0))
    assert steady.limit == 100


async def test_one_that_is_cancelled_while_it_waits_leaves_its_place_to_the_next() -> None:
    admission, running, done = Admission(1), asyncio.Event(), []

    async def call(number: int) -> None:
        await running.wait()
        done.append(number)

    tasks = [asyncio.create_task(admission.run(lambda number=number: call(number))) for number in range(3)]  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    await until(lambda: admission.in_use == 1, "the first is let through")
    tasks[1].cancel()
    running.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (done, admission.in_use) == ([0, 2], 0)

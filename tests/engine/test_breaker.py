"""A topic whose records are all bad stops."""

from datetime import timedelta

from bridge.intake.breaker import BAD_IN_A_ROW_MAX, PAUSE_FIRST, PAUSE_MAX, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def bad(breaker: Breaker, count: int = BAD_IN_A_ROW_MAX, topic: str = "t") -> list[bool]:
    return [breaker.bad(topic) for _ in range(count)]


def test_the_hundredth_bad_record_in_a_row_stops_its_topic_and_no_other() -> None:
    breaker = Breaker(Clock())
    assert bad(breaker) == [False] * (BAD_IN_A_ROW_MAX - 1) + [True]
    assert breaker.remaining("t") == PAUSE_FIRST
    assert breaker.remaining("u") == timedelta(0)


def test_a_sound_record_between_them_keeps_the_topic_going() -> None:
    breaker = Breaker(Clock())
    bad(breaker, BAD_IN_A_ROW_MAX - 1)
    breaker.sound("t")
    assert bad(breaker, BAD_IN_A_ROW_MAX - 1) == [False] * (BAD_IN_A_ROW_MAX - 1)


def test_after_the_pause_as_many_may_pass_again_and_the_next_pause_is_twice_as_long() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    bad(breaker)
    clock.now += PAUSE_FIRST.total_seconds()
    assert breaker.remaining("t") == timedelta(0)
    assert bad(breaker)[-1]
    assert breaker.remaining("t") == PAUSE_FIRST * 2


def test_the_pause_has_a_longest() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(30):
        bad(breaker)
        clock.now += PAUSE_MAX.total_seconds()
    bad(breaker)
    assert breaker.remaining("t") == PAUSE_MAX


def test_bad_records_that_were_under_way_when_the_topic_stopped_do_not_stop_it_longer() -> None:
    breaker = Breaker(Clock())
    bad(breaker)
    assert not any(bad(breaker))
    assert breaker.remaining("t") == PAUSE_FIRST

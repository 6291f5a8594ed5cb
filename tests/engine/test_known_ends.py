"""How much of the lifecycle topics the feed keeps in memory, and how it knows what it does not."""

from bridge.feed.knownends import KEPT_MS, KnownEnds, Span


def noted(ends_max: int, span: Span, times: range) -> KnownEnds:
    """Return what is known after so many ends were read while a span was looked at."""
    known = KnownEnds(ends_max)
    for closed_ms in times:
        known.add(b"%d" % closed_ms, closed_ms)
        known.bound(span)
    return known


def test_nothing_is_dropped_while_it_fits() -> None:
    known = noted(100, Span(0, 10), range(100))
    assert (len(known), known.is_cut, known.covers(Span(0, 1_000_000))) == (100, False, True)


def test_hours_of_ends_take_no_more_memory_than_the_bound() -> None:
    known = noted(100, Span(0, 10), range(100_000))
    assert len(known) <= 100
    assert known.is_cut


def test_what_closed_in_the_time_that_is_looked_at_is_kept_whole() -> None:
    known = noted(100, Span(500, 900), range(10_000))
    assert all(b"%d" % closed_ms in known for closed_ms in range(500, 901))
    assert known.covers(Span(500, 900))


def test_a_time_of_which_ends_were_dropped_is_not_covered_until_it_is_read_again() -> None:
    known = noted(100, Span(0, 10), range(1000))
    late = Span(900, 950)
    assert not known.covers(late)
    known.begin_again(late.from_ms)
    for closed_ms in range(900, 1000):
        known.add(b"%d" % closed_ms, closed_ms)
        known.bound(late)
    assert known.covers(late)
    assert b"925" in known


def test_what_closed_two_minutes_before_is_kept_for_the_second_look() -> None:
    now_ms = 10 * KEPT_MS
    known = noted(100, Span(now_ms, now_ms + 10), range(now_ms - 2 * KEPT_MS, now_ms, KEPT_MS // 150))
    assert known.covers(Span(now_ms - KEPT_MS, now_ms))
    assert not known.covers(Span(now_ms - 2 * KEPT_MS, now_ms))


def test_windows_one_after_another_meet_every_end_with_few_passes() -> None:
    closed = range(0, 10_000_000, 1000)  # one a second
    known, met, passes = KnownEnds(1000), 0, 0
    for start in range(0, len(closed), 100):
        window = closed[start : start + 100]
        span = Span(window[0], window[-1])
        if passes == 0 or not known.covers(span):
            passes += 1
            known.begin_again(span.from_ms)
            for closed_ms in closed[start:]:
                known.add(b"%d" % closed_ms, closed_ms)
                known.bound(span)
        met += sum(b"%d" % closed_ms in known for closed_ms in window)
    assert met == len(closed)
    assert passes <= 40

"""The memory of the feed, while there is more to read than in a moment, and while its client is broken."""

import itertools

import pytest

from bridge.feed.announced import Announced
from bridge.feed.knownends import KnownEnds, Span
from tests.engine.pretend import Broker, Row


def ends(count: int) -> list[Row]:
    """Return so many ends, one a second."""
    return [
        Row(number, number * 1000, (("ce_id", b"e-%d" % number), ("ce_type", b"workflow.completed")))
        for number in range(count)
    ]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker(ends(1000), poll_seconds=20)
    monkeypatch.setattr("bridge.feed.reading.AIOKafkaConsumer", broker.client)
    monkeypatch.setattr("bridge.feed.reading.time", broker)  # by its name: the event loop keeps the real clock
    return broker


async def test_reading_back_may_take_longer_than_30_s_while_it_makes_progress(broker: Broker) -> None:
    announced = Announced({}, ["t"])
    await announced.open(0)
    began = broker.now
    await announced.catch_up()
    assert broker.now - began == 100
    assert "e-999" in announced


async def test_a_client_that_reads_no_more_is_replaced_and_what_was_read_is_kept(broker: Broker) -> None:
    broker.polls_break_at = 500
    announced = Announced({}, ["t"])
    await announced.open(0)
    with pytest.raises(TimeoutError, match="nothing could be read for 30 s"):
        await announced.catch_up()
    assert announced.is_open
    assert "e-499" in announced
    broker.rows[:400] = [Row(row.offset, row.timestamp) for row in broker.rows[:400]]  # must not be asked for again
    await announced.catch_up()
    assert [client.stopped for client in broker.clients] == [True, False]
    assert all(f"e-{number}" in announced for number in range(1000))


async def test_others_have_their_turn_between_two_reads(broker: Broker) -> None:
    turns: list[float] = []

    async def turn() -> None:
        turns.append(broker.now)

    announced = Announced({}, ["t"])
    announced.meanwhile = turn
    await announced.open(0)
    await announced.catch_up()
    assert [round(later - sooner) for sooner, later in itertools.pairwise(turns)] == [20, 20, 20, 20]


async def test_nothing_is_fetched_ahead_while_nobody_reads(broker: Broker) -> None:
    announced = Announced({}, ["t"])
    await announced.open(0)
    assert broker.clients[0].paused
    await announced.catch_up()
    assert broker.clients[0].paused
    broker.rows.append(Row(1000, 1_000_000, (("ce_id", b"e-1000"), ("ce_type", b"workflow.completed"))))
    await announced.follow()  # which goes on and on, so that to fetch ahead is right
    assert "e-1000" in announced
    assert not broker.clients[0].paused


async def test_ends_that_did_not_fit_are_read_again_once_they_are_looked_at(broker: Broker) -> None:
    announced = Announced({}, ["t"], KnownEnds(300))
    await announced.open(0)
    await announced.catch_up(Span(0, 100_000))
    assert "e-100" in announced
    assert "e-900" not in announced
    whole = [announced.is_whole]
    await announced.catch_up(Span(900_000, 920_000))
    assert "e-900" in announced
    assert [*whole, announced.is_whole] == [False, True]
    assert len(announced._ends) <= 300


async def test_starts_take_no_more_memory_the_more_of_them_there_are(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.feed.announced.STARTS_MAX", 100)
    broker.rows = [
        Row(number, 0, (("ce_id", b"s-%d" % number), ("ce_type", b"workflow.started"))) for number in range(5000)
    ]
    announced = Announced({}, ["t"])
    await announced.open(0)
    await announced.catch_up()
    assert len(announced._starts) + len(announced._older_starts) <= 2 * 300
    assert "s-4999" in announced

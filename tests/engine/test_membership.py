"""The owner's place in its group: what it asks of Kafka, and what it does about a client that is stuck."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bridge.feed import membership
from bridge.feed.membership import Membership
from tests.engine.pretend import PARTITION, Broker, Row


class Side:
    """One process's share."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.membership = Membership({}, "t", self.take)

    def take(self, records: Sequence[Any]) -> None:
        self.taken += [record.offset for record in records]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker([Row(number, 0) for number in range(10)])
    monkeypatch.setattr("bridge.feed.membership.AIOKafkaConsumer", broker.client)
    monkeypatch.setattr("bridge.feed.membership.time", broker)  # by its name: the event loop keeps the real clock
    return broker


async def test_an_owner_that_has_read_all_does_not_ask_each_time_where_the_topic_ends(broker: Broker) -> None:
    side = Side()
    for _ in range(20):
        assert await side.membership.holds()
    assert broker.asked_for_end == 1
    broker.now += membership.LOOK_EVERY.total_seconds()
    assert await side.membership.holds()
    assert broker.asked_for_end == 2


async def test_after_a_rebalance_all_is_read_before_the_partition_counts_as_ours(broker: Broker) -> None:
    side = Side()
    assert await side.membership.holds()
    client = broker.clients[0]
    client.seek(PARTITION, 0)
    client.listener.on_partitions_assigned({PARTITION})
    broker.rows += [Row(number, 0) for number in range(10, 1000)]
    assert await side.membership.holds()
    assert side.taken == [*range(10), *range(1000)]


async def test_a_client_that_reads_no_more_is_replaced(broker: Broker) -> None:
    broker.polls_break_at, broker.poll_seconds = 5, 1
    side = Side()
    with pytest.raises(TimeoutError, match="nothing of t could be read for 20 s"):
        await side.membership.holds()
    assert await side.membership.holds()
    assert [client.stopped for client in broker.clients] == [True, False]
    assert side.taken[-10:] == list(range(10))


async def test_a_topic_may_take_longer_than_20_s_to_read_while_there_is_progress(broker: Broker) -> None:
    broker.rows, broker.poll_seconds = [Row(number, 0) for number in range(1000)], 15
    side = Side()
    assert await side.membership.holds()
    assert len(side.taken) == 1000


async def test_a_poll_that_does_not_come_back_ends_with_another_client(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "POLL_WITHIN", timedelta(milliseconds=50))
    broker.hangs = True
    side = Side()
    with pytest.raises(TimeoutError, match="no poll of t came back"):
        await side.membership.holds()
    broker.hangs = False
    assert await side.membership.holds()
    assert [client.stopped for client in broker.clients] == [True, False]


async def test_it_is_due_while_there_is_other_work_long_before_the_group_would_put_it_out(broker: Broker) -> None:
    side = Side()
    assert await side.membership.holds()
    assert not side.membership.is_due
    broker.now += 20
    assert side.membership.is_due

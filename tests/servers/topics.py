"""Topics of the tests: what this makes can be used when it returns.

A broker names a new topic, and its leaders, before these serve: who asks meanwhile gets NOT_LEADER_FOR_PARTITION.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import confluent_kafka
from confluent_kafka import TopicPartition, admin
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

WITHIN_SECONDS = 30.0
POLL_SECONDS = 0.05


def make(bootstrap: str, *names: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
    """Make topics that are not there yet."""
    make_with(AdminClient({"bootstrap.servers": bootstrap}), *names, partitions=partitions, config=config)


def make_with(client: AdminClient, *names: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
    """Make topics through a client of the test's own."""
    wanted = [NewTopic(name, partitions, 1, config=dict(config or {})) for name in names]
    for made in client.create_topics(wanted).values():
        made.result(WITHIN_SECONDS)
    places = [TopicPartition(name, number) for name in names for number in range(partitions)]
    wait_until_served(client, places)


def make_missing(bootstrap: str, name: str, *, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
    """Make a topic that may be there already."""
    client = AdminClient({"bootstrap.servers": bootstrap})
    if name not in client.list_topics(timeout=WITHIN_SECONDS).topics:
        make_with(client, name, partitions=partitions, config=config)


def wait_until_served(client: AdminClient, places: Sequence[TopicPartition]) -> None:
    """Return once the leader of each partition tells its end."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while refusal := _refusal(client, places):
        assert time.monotonic() < deadline, f"not served within {WITHIN_SECONDS:g} s: {refusal}"
        time.sleep(POLL_SECONDS)


def _refusal(client: AdminClient, places: Sequence[TopicPartition]) -> str | None:
    # The client remembers for 30 s that it did not know a topic, and asks nobody then: this makes it ask.
    client.list_topics(timeout=WITHIN_SECONDS)
    latest: Any = admin.OffsetSpec.latest()  # type: ignore[attr-defined]  # public there, but not marked as exported
    for place, answer in client.list_offsets(dict.fromkeys(places, latest), request_timeout=WITHIN_SECONDS).items():
        try:
            answer.result(WITHIN_SECONDS)
        except confluent_kafka.KafkaException as error:
            return f"{place.topic}/{place.partition}: {error}"
    return None

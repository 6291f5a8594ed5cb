"""What the bench asks Kafka: topics, ends, what a group has committed, what was written."""

import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias

import confluent_kafka
from confluent_kafka import TopicPartition, admin

from tests.servers import topics

Ends: TypeAlias = Mapping[int, int]

TIMEOUT_SECONDS = 30


class KafkaSide:
    """Kafka as an outsider sees it."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._admin = admin.AdminClient({"bootstrap.servers": bootstrap})
        self._reader = self._consumer(f"bench-ledger-{uuid.uuid4()}")

    def make(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        """Make a topic."""
        topics.make_with(self._admin, topic, partitions=partitions, config=config)

    def ends(self, topic: str) -> dict[int, int]:
        """Return the offset behind the last record of each partition."""
        partitions = self._admin.list_topics(topic, TIMEOUT_SECONDS).topics[topic].partitions
        latest = admin.OffsetSpec.latest()  # type: ignore[attr-defined]  # it is there
        wanted = {TopicPartition(topic, number): latest for number in partitions}
        found = self._admin.list_offsets(wanted, request_timeout=TIMEOUT_SECONDS)
        return {place.partition: answer.result(TIMEOUT_SECONDS).offset for place, answer in found.items()}

    def count_since(self, topic: str, begin: Ends) -> int:
        """Return how many records were written since; right for topics without transactions."""
        return sum(self.ends(topic).values()) - sum(begin.values())

    def is_committed(self, group: str, topic: str) -> bool:
        """Return whether the group has committed everything that the topic holds."""
        ends = self.ends(topic)
        asker = self._consumer(group)
        try:
            wanted = [TopicPartition(topic, number) for number, end in ends.items() if end]
            found = asker.committed(wanted, TIMEOUT_SECONDS) if wanted else []
        finally:
            asker.close()
        return all(place.offset == ends[place.partition] for place in found)

    def set_back(self, group: str, topic: str, offsets: Ends) -> None:
        """Let a group that has no members go on at these offsets."""
        wanted = [TopicPartition(topic, number, offset) for number, offset in offsets.items()]
        request = confluent_kafka.ConsumerGroupTopicPartitions(group, wanted)
        for answer in self._admin.alter_consumer_group_offsets([request]).values():
            answer.result(TIMEOUT_SECONDS)

    def causes_since(self, topic: str, begin: Ends) -> list[str]:
        """Return the causation id of each record that was written since."""
        ends = self.ends(topic)
        left = {number for number, end in ends.items() if end > begin.get(number, 0)}
        self._reader.assign([TopicPartition(topic, number, begin.get(number, 0)) for number in left])
        causes: list[str] = []
        while left:
            for message in self._reader.consume(10_000, 1.0):
                headers: dict[str, Any] = dict(message.headers() or [])
                causes.append(headers["ce_causationid"].decode())
                number, offset = message.partition(), message.offset()
                if number is not None and offset is not None and offset + 1 >= ends[number]:
                    left.discard(number)
        return causes

    def close(self) -> None:
        """Leave."""
        self._reader.close()

    def _consumer(self, group: str) -> confluent_kafka.Consumer:
        return confluent_kafka.Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )

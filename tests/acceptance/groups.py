"""A consumer group's offsets and the ends of topics, asked of Kafka as anybody would: confluent-kafka."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import confluent_kafka
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

ASK_SECONDS = 60.0  # a server on a machine with other work answers late
GONE = confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART

Partition: TypeAlias = tuple[str, int]


class Groups:
    """Asks of any group; joins none."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._lock = threading.Lock()
        self._consumers: dict[str, confluent_kafka.Consumer] = {}
        self.renew()

    def renew(self) -> None:
        """Take a new admin client: librdkafka's may ask for ever for a broker that has died, and answer nothing."""
        self._admin = AdminClient({"bootstrap.servers": self._bootstrap})

    @property
    def admin(self) -> AdminClient:
        return self._admin

    def close(self) -> None:
        for consumer in self._consumers.values():
            consumer.close()

    def topics(self) -> dict[str, Any]:
        """Return all topics, by name."""
        known: dict[str, Any] = self._consumer("faults-reader").list_topics(timeout=ASK_SECONDS).topics
        return known

    def ends(self, topics: Iterable[str]) -> dict[Partition, int]:
        """Return the offset behind the last record of each partition of the topics."""
        known = self.topics()
        return {place: self._marks(place)[1] for topic in topics for place in _places(known[topic])}

    def begins(self, topics: Iterable[str]) -> dict[Partition, int]:
        """Return the offset of the first record of each partition of the topics."""
        known = self.topics()
        return {place: self._marks(place)[0] for topic in topics for place in _places(known[topic])}

    def begin_at(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Set a group's offsets; it has no members."""
        places = [confluent_kafka.TopicPartition(*place, offset) for place, offset in offsets.items()]
        (answer,) = self._admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)]).values()
        answer.result(ASK_SECONDS)

    def committed(self, group: str) -> dict[Partition, int]:
        """Return the group's offsets; raises `KafkaException` where its coordinator does not answer.

        A consumer is asked: librdkafka's admin client dereferences the group it does not have when a coordinator
        answers that it is not one, or not yet, and the process is gone.
        """
        own = [place for name, topic in self.topics().items() if not name.startswith("__") for place in _places(topic)]
        asked = [confluent_kafka.TopicPartition(*place) for place in own]
        found: dict[Partition, int] = {}
        for one in self._consumer(group).committed(asked, timeout=ASK_SECONDS):
            if one.error is not None and one.error.code() != GONE:
                raise confluent_kafka.KafkaException(one.error)
            if one.offset >= 0:
                found[one.topic, one.partition] = one.offset
        return found

    def members(self, group: str) -> set[str]:
        (answer,) = self._admin.describe_consumer_groups([group]).values()
        return {member.member_id for member in answer.result(ASK_SECONDS).members}

    def _consumer(self, group: str) -> confluent_kafka.Consumer:
        with self._lock:
            if group not in self._consumers:
                self._consumers[group] = confluent_kafka.Consumer(
                    {"bootstrap.servers": self._bootstrap, "group.id": group, "enable.auto.commit": False}
                )
            return self._consumers[group]

    def _marks(self, place: Partition) -> tuple[int, int]:
        asked = confluent_kafka.TopicPartition(*place)
        low, high = self._consumer("faults-reader").get_watermark_offsets(asked, timeout=ASK_SECONDS)
        return int(low), int(high)


def _places(topic: Any) -> list[Partition]:
    return [(topic.topic, partition) for partition in topic.partitions]

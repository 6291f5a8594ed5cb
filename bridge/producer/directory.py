"""Which line a record belongs to: by its topic, and by its key as Kafka's own partitioner would choose."""

import itertools
from collections.abc import Iterator, Sequence

from aiokafka.cluster import ClusterMetadata

from bridge.outcomes.event import OutRecord
from bridge.producer import partitioner
from bridge.producer.line import Line


class Directory:
    """The lines of the topics that are open, one for each of their partitions."""

    def __init__(self, cluster: ClusterMetadata) -> None:
        self._cluster = cluster
        self._by_topic: dict[str, list[Line]] = {}
        self._without_key = itertools.count()

    def open(self, topic: str) -> None:
        """Make the lines of a topic that the client knows."""
        if topic not in self._by_topic:
            self._by_topic[topic] = [Line(topic, n) for n in sorted(self._cluster.partitions_for_topic(topic) or ())]

    def lines_for(self, records: Sequence[OutRecord]) -> list[Line] | None:
        """Return the line of each record; None where the topic of one is not open."""
        found = []
        for record in records:
            lines = self._by_topic.get(record.topic)
            if lines is None:
                return None
            found.append(self._next(lines) if record.key is None else partitioner.chosen(record.key, lines))
        return found

    def _next(self, lines: Sequence[Line]) -> Line:
        led = self._cluster.available_partitions_for_topic(lines[0].topic) or ()
        there = [line for line in lines if line.partition in led] or lines
        return there[next(self._without_key) % len(there)]

    def forget_if_changed(self, topic: str) -> None:
        """Close a topic that is gone or has got more partitions, and give back what waits for it."""
        if len(self._cluster.partitions_for_topic(topic) or ()) != len(self._by_topic.get(topic, ())):
            for line in self._by_topic.pop(topic, ()):
                line.give_back_waiting()

    def of(self, topic: str) -> Sequence[Line]:
        """Return the lines of a topic, if it is open."""
        return self._by_topic.get(topic, ())

    def __iter__(self) -> Iterator[Line]:
        """Give all lines."""
        return itertools.chain(*self._by_topic.values())

    def clear(self) -> None:
        """Close all topics."""
        self._by_topic.clear()

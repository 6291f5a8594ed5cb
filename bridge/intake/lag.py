"""How far the broker is ahead of what is done, in the partitions that are held now."""

from collections.abc import Callable, Iterator, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge.intake import offsets
from bridge.intake.assignment import Partition


class Lag:
    """Reads what the last fetches told, so that it costs no request; but for paused partitions, as `look_at_paused`."""

    def __init__(
        self,
        consumer: Callable[[], AIOKafkaConsumer | None],
        partitions: Callable[[], Mapping[TopicPartition, Partition]],
    ) -> None:
        """Take what gives the consumer and the partitions that are held when it is asked."""
        self._consumer = consumer
        self._partitions = partitions

    @property
    def records(self) -> int:
        """Return how many records the broker has that are not done, by the last fetch of each partition, or look at it.

        Those of an open transaction, and what it holds back behind it, are among them: the client's own lag is 0 then.
        """
        return sum(self.by_partition.values())

    @property
    def by_partition(self) -> dict[tuple[str, ...], int]:
        """Return the same of each partition, by topic and number."""
        return {
            label: max(0, (self.end_of(tp) or 0) - partition.watermark.committable)
            for label, tp, partition in self._begun()
        }

    @property
    def offset_by_partition(self) -> dict[tuple[str, ...], int]:
        """Return the offset before which everything is done of each partition, by topic and number."""
        return {label: partition.watermark.committable for label, _, partition in self._begun()}

    def end_of(self, tp: TopicPartition) -> int | None:
        """Return where a partition ends, as of its last fetch or look; None where that is not known."""
        consumer, partition = self._consumer(), self._partitions().get(tp)
        if consumer is None or partition is None or tp not in consumer.assignment():
            return None
        return max(consumer.highwater(tp) or 0, partition.end_seen) or None

    async def look_at_paused(self) -> None:
        """Look up where the paused partitions end: nothing is fetched of them that would tell it."""
        consumer, partitions = self._consumer(), self._partitions()
        paused = [tp for tp, partition in partitions.items() if partition.paused]
        if consumer is None or not paused:
            return
        for tp, end in (await offsets.ends(consumer, paused)).items():
            partitions[tp].end_seen = end

    def _begun(self) -> Iterator[tuple[tuple[str, ...], TopicPartition, Partition]]:
        """Yield the partitions from which something was read, or that were looked at."""
        consumer = self._consumer()
        assigned = consumer.assignment() if consumer is not None else ()
        for tp, partition in self._partitions().items():
            is_known = partition.watermark.position is not None or partition.end_seen
            if is_known and tp in assigned:
                yield (tp.topic, str(tp.partition)), tp, partition

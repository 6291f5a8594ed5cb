"""Records become items in lanes, for as long as the partitions that they come from are held."""

from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge.command import BadRecord, Command, Record
from bridge.intake.assignment import Assignment, Partition
from bridge.intake.decode import Decoder
from bridge.intake.item import Content, Item, LaneKey
from bridge.intake.lanes import Lanes


class Taking:
    """Takes what comes under the current assignment.

    `is_on` tells whether anything is taken now, `is_stopped` that nothing is any more; `count` is how many records
    came so far, and `broken` tells why the consumer must be replaced.
    """

    def __init__(
        self,
        decoder: Decoder,
        lanes: Lanes[LaneKey, Item],
        consumer: Callable[[], AIOKafkaConsumer],
        waiting_max: int,
    ) -> None:
        """Take what makes commands, where they go, and what gives the current consumer."""
        self._decoder = decoder
        self._lanes = lanes
        self._consumer = consumer
        self._waiting_max = waiting_max
        self.assignment = Assignment(waiting_max)
        self.is_on = self.is_stopped = False
        self.count = 0
        self.broken: str | None = None

    def begin(self, assignment: Assignment) -> None:
        """Take what comes of these partitions, unless stopped."""
        self.assignment = assignment
        self.is_on = not self.is_stopped

    def pause(self) -> None:
        """Take nothing until the next assignment begins."""
        self.is_on = False

    def stop(self) -> None:
        """Take nothing any more."""
        self.is_on = False
        self.is_stopped = True

    def leave(self) -> None:
        """Let go of all partitions."""
        self.is_on = False
        self.assignment = Assignment(self._waiting_max)

    def renew(self) -> None:
        """Let go of all partitions, as another consumer comes: nothing speaks against that one."""
        self.leave()
        self.broken = None

    def is_current(self, assignment: Assignment) -> bool:
        """Return whether records of this assignment are taken now."""
        return self.is_on and assignment is self.assignment

    def take_all(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Put a partition's next records into their lanes; what cannot be taken now is left to be read again."""
        self._refuse_older(tp, records)
        if self.is_on and (partition := self.assignment.partitions.get(tp)):
            self.count += len(records)
            for record in records:
                size_bytes = record.memory_bytes
                if partition.take(record.offset, size_bytes):
                    self._put(tp, partition, self._decoder.decode(record), size_bytes)
        elif records and tp in self._consumer().assignment():
            # They come between two assignments, or after the stop. The client counts them as read: without this its
            # position, and so the next commit, would pass over them.
            self._consumer().seek(tp, records[0].offset)

    def take_alone(self, tp: TopicPartition, record: Record, content: BadRecord | None) -> None:
        """Put one record into its lane, as `content` where it is given: it is not decoded then."""
        partition, size_bytes = self.assignment.partitions[tp], record.memory_bytes
        self.count += 1
        if partition.take(record.offset, size_bytes):
            self._put(tp, partition, content or self._decoder.decode(record), size_bytes)

    def _refuse_older(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Let go of all partitions where one goes back: its log has lost its end, or its topic was made anew.

        What is done of the old log tells nothing of the new one, and nothing may be committed until both are known.
        """
        partition = self.assignment.partitions.get(tp)
        if partition is not None and records and records[0].offset < (partition.watermark.position or 0):
            self.leave()
            self.broken = f"{tp.topic}/{tp.partition} has gone back to offset {records[0].offset}"

    def _put(self, tp: TopicPartition, partition: Partition, content: Content, size_bytes: int) -> None:
        offset = content.record.offset
        if not (isinstance(content, Command) and content.route.starts):
            partition.watermark.begins_nothing(offset)
        item = Item(content, tp, self.assignment, partition.is_new(offset), size_bytes)
        self._lanes.put((tp, content.workflow_id if isinstance(content, Command) else offset), item)

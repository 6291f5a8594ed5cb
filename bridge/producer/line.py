"""What waits for one partition, and the one batch that is being written to it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from bridge.outcomes.event import OutRecord
from bridge.producer.delivery import Delivery

Entry: TypeAlias = tuple[OutRecord, Delivery]


class Line:
    """Entries of one partition, in the order in which they were sent."""

    __slots__ = ("begun", "is_queued", "partition", "topic", "waiting", "writing")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.waiting: list[Entry] = []
        self.writing: Sequence[Entry] = ()
        self.is_queued = False  # for the next round, or for what follows the batch that is being written
        self.begun = 0.0  # when that batch was, by the loop's clock

    def fill(self, batch: Any, records_max: int) -> None:
        """Move what fits from those that wait to the batch: at least one, however large, if there is any."""
        append = batch.append
        filled = 0
        written: list[Entry] = []
        for entry in self.waiting:
            record, delivery = entry
            try:
                if len(written) == records_max or not append(
                    timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=list(record.headers)
                ):
                    break
            except Exception as error:  # noqa: BLE001 - whatever it is: it is this record's, and its sender's to know
                delivery.fail(error)
            else:
                written.append(entry)
            filled += 1
        self.waiting = self.waiting[filled:]
        self.writing = written

    def arrived(self) -> None:
        """Note that the batch has been acknowledged."""
        written, self.writing = self.writing, ()
        for _, delivery in written:
            delivery.arrived()

    def fail(self, error: Callable[[], Exception]) -> None:
        """Tell the senders of the batch what it met."""
        failed, self.writing = self.writing, ()
        for _, delivery in failed:
            delivery.fail(error())

    def fail_all(self, error: Callable[[], Exception]) -> None:
        """Tell that to all: those who wait too."""
        self.writing, self.waiting = (*self.writing, *self.waiting), []
        self.fail(error)

    def give_back(self) -> None:
        """Let all be written again, by whoever sent them."""
        written, self.writing = self.writing, ()
        _give_back(written)
        self.give_back_waiting()

    def give_back_waiting(self) -> None:
        """Let those be written again that are in no batch yet."""
        waiting, self.waiting = self.waiting, []
        _give_back(waiting)


def _give_back(entries: Sequence[Entry]) -> None:
    for record, delivery in entries:
        delivery.give_back(record)

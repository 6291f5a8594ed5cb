"""The records of one send, and the one thing that its sender waits for."""

import asyncio
from collections.abc import Sequence

from bridge.outcomes.event import OutRecord


class Delivery:
    """Counts records that are under way; `settled` gives those to write again: their producer came to its end."""

    __slots__ = ("_again", "_left", "settled")

    def __init__(self, settled: "asyncio.Future[Sequence[OutRecord]]", records: int) -> None:
        self.settled = settled
        self._left = records
        self._again: tuple[OutRecord, ...] = ()

    def arrived(self) -> None:
        """Note that Kafka has acknowledged one more."""
        self._left -= 1
        if not self._left and not self.settled.done():  # done: cancelled, or one of the others failed
            self.settled.set_result(self._again)

    def give_back(self, record: OutRecord) -> None:
        """Note that one was not acknowledged, and is not to blame."""
        self._again += (record,)
        self.arrived()

    def fail(self, error: Exception) -> None:
        """Tell the sender what one of them met; each needs an error of its own, as it notes where it was raised."""
        self._left -= 1
        if not self.settled.done():
            self.settled.set_exception(error)

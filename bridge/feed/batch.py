"""What the feed's owner writes in one transaction, and what it knows of it before it is written."""

from collections.abc import Iterable

from bridge.feed import watch
from bridge.feed.announced import Announced
from bridge.feed.closing import Closing
from bridge.feed.ownership import Ownership
from bridge.feed.watch import Watch
from bridge.outcomes.event import OutRecord
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric


class Batch:
    """Records for one transaction of a namespace; what it holds counts as known for what is added after it."""

    def __init__(self, namespace: str, ownership: Ownership, announced: Announced, metrics: Metrics) -> None:
        self._namespace = namespace
        self._ownership = ownership
        self._announced = announced
        self._metrics = metrics
        self._records: list[OutRecord] = []
        self._ends: dict[str, Closing] = {}
        self._passed: dict[str, int] = {}
        self._watches: dict[bytes, Watch | None] = {}

    def watched(self, workflow_id: str, run_id: str) -> Watch | None:
        """Return the watch under which the owner looks after a run, if it does."""
        key = watch.run_key(self._namespace, workflow_id, run_id)
        if key in self._watches:
            return self._watches[key]
        return self._ownership.watchlist.of_run(self._namespace, workflow_id, run_id)

    def has(self, event_id: str) -> bool:
        """Return whether an event is in its topic, or in this batch."""
        return event_id in self._ends or event_id in self._announced

    def add(self, records: Iterable[OutRecord]) -> None:
        """Take records in the order in which they are to be read."""
        for record in records:
            self._records.append(record)
            if record.key is not None and watch.is_key(record.key):
                self._watches[record.key] = watch.read(record.value) if record.value is not None else None

    def close(self, closing: Closing, *, with_start: bool) -> None:
        """Take all that announces the end of a run."""
        self.add(closing.records(with_start=with_start))
        self._ends[closing.ended_id] = closing

    def pass_over(self, event_id: str, closed_ms: int) -> None:
        """Note an end of which nothing is to be told, so that nobody looks at it again."""
        self._passed[event_id] = closed_ms

    async def write(self, watermark_ms: int) -> None:
        """Write everything, and a watermark that is later than the one before: all, or none of it."""
        before_ms = self._ownership.watermark_ms(self._namespace)
        if self._records or watermark_ms > before_ms:
            await self._ownership.write(self._records, self._namespace, max(watermark_ms, before_ms))
        for event_id, closed_ms in self._passed.items():
            self._announced.add(event_id, closed_ms)
        for event_id, closing in self._ends.items():
            self._announced.add(event_id, closing.end.closed_ms)
            if closing.topic is not None:
                self._metrics.count(Metric.LIFECYCLE_EVENTS, closing.end.state.value)

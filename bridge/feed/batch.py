"""What the feed's owner writes in one transaction, and what it knows of it before it is written."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge import tracecontext
from bridge.feed import watch
from bridge.feed.announced import Announced
from bridge.feed.closing import Closing
from bridge.feed.ownership import Ownership, RefusedRecordError
from bridge.feed.watch import Watch
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import RunFacts
from bridge.telemetry import logs
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric

log = logs.get(__name__)


@dataclass(slots=True)
class Share:
    """What a batch holds of one run, or of a watched chain of runs; `closing` where it announces a run's end."""

    workflow_id: str
    run_id: str
    records: list[OutRecord] = field(default_factory=list)
    closing: Closing | None = None


class Batch:
    """Records for one transaction of a namespace; what it holds counts as known for what is added after it."""

    def __init__(self, namespace: str, ownership: Ownership, announced: Announced, metrics: Metrics) -> None:
        self._namespace = namespace
        self._ownership = ownership
        self._announced = announced
        self._metrics = metrics
        self._shares: list[Share] = []
        self._ends: set[str] = set()
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

    def add(self, run: Watch | RunFacts, records: Iterable[OutRecord]) -> None:
        """Take records of a run in the order in which they are to be read."""
        share = self._share(run)
        for record in records:
            share.records.append(record)
            if record.key is not None and watch.is_key(record.key):
                self._watches[record.key] = watch.read(record.value) if record.value is not None else None

    def _share(self, run: Watch | RunFacts) -> Share:
        """Return the share that a run's records belong to: what hangs together is all written, or none of it."""
        last = self._shares[-1] if self._shares else None
        if last is None or last.closing is not None or last.workflow_id != run.workflow_id:
            last = Share(run.workflow_id, run.run_id)
            self._shares.append(last)
        return last

    def close(self, closing: Closing, *, with_start: bool) -> None:
        """Take all that announces the end of a run."""
        self.add(closing.begun.facts, closing.records(with_start=with_start))
        self._shares[-1].closing = closing
        self._ends.add(closing.ended_id)

    def pass_over(self, event_id: str, closed_ms: int) -> None:
        """Note an end of which nothing is to be told, so that nobody looks at it again."""
        self._passed[event_id] = closed_ms

    async def write(self, watermark_ms: int) -> None:
        """Write everything, and a watermark that is later than the one before: all, or none of it.

        Where a record of a run is one that Kafka never takes, that run is passed over, as it must not hold the others.
        """
        before_ms = self._ownership.watermark_ms(self._namespace)
        records = [record for share in self._shares for record in share.records]
        if records or watermark_ms > before_ms:
            try:
                await self._ownership.write(records, self._namespace, max(watermark_ms, before_ms))
            except RefusedRecordError:
                await self._write_one_by_one(before_ms)
                await self._ownership.write([], self._namespace, max(watermark_ms, before_ms))
            else:
                self._note(self._shares)
        for event_id, closed_ms in self._passed.items():
            self._announced.add(event_id, closed_ms)

    async def _write_one_by_one(self, watermark_ms: int) -> None:
        """Write each run's records in a transaction of their own, the watermark last: what fails is found again."""
        for share in self._shares:
            try:
                await self._ownership.write(share.records, self._namespace, watermark_ms)
            except RefusedRecordError as error:
                run = {"workflow_id": share.workflow_id, "run_id": share.run_id}
                if share.closing is not None:
                    run["trace_id"] = tracecontext.trace_id(share.closing.mark.traceparent)
                log.error(Log.RUN_REFUSED, **run, error=str(error))  # noqa: TRY400 - no defect: its words say it all
                # Else who looks after the run would come upon it again and again.
                taken_back = [record for record in share.records if record.value is None]
                await self._ownership.write(taken_back, self._namespace, watermark_ms)
                if share.closing is not None:
                    self.pass_over(share.closing.ended_id, share.closing.end.closed_ms)
            else:
                self._note([share])

    def _note(self, written: Iterable[Share]) -> None:
        for closing in (share.closing for share in written if share.closing is not None):
            self._announced.add(closing.ended_id, closing.end.closed_ms)
            if closing.topic is not None:
                self._metrics.count(Metric.LIFECYCLE_EVENTS, closing.end.state.value)

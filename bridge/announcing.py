"""How a settled command is told of: its records are written, it is counted, and health hears what Kafka takes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bridge import announcement
from bridge.command import BadRecord, Command
from bridge.dispatch.namespaces import Namespaces
from bridge.intake.item import Item
from bridge.outcome import Accepted, DeadLettered, Settled
from bridge.outcomes.event import OutRecord
from bridge.producer.outgoing import Outgoing
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import OPERATION_TYPES, Log, Metric, Operation

_SEND = (Operation.SEND.value, OPERATION_TYPES[Operation.SEND])

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Announcing:
    """Where it is told: in Kafka's topics, in the log, to the metrics and to health."""

    namespaces: Namespaces
    outgoing: Outgoing
    health: Health
    metrics: Metrics

    async def announce(self, item: Item, content: Command | BadRecord, settled: Settled, attempts: int) -> None:
        """Write what is not written yet, and count the command; raises `UnavailableError` where Kafka refuses."""
        temporal = self.namespaces.of(content.route)
        records = announcement.records(
            content, settled, group=self.namespaces.group, namespace=temporal.namespace, attempts=attempts
        )
        # One by one after a failure: what has been written is not written again for as long as the rest is refused.
        # A dead letter goes first in any case, as an answer must never tell of one that is not there.
        is_one_by_one = item.stalled or isinstance(settled, DeadLettered)
        while rest := records[item.written :]:
            await self._write(rest[:1] if is_one_by_one else rest)
            item.written += 1 if is_one_by_one else len(rest)
        if isinstance(settled, Accepted) and settled.of_others and settled.run_id is not None:
            temporal.known_runs.add(settled.run_id)
        if isinstance(settled, DeadLettered):
            log.warning(Log.DEAD_LETTER, reason=settled.reason.value, **item.coordinates)
        self._count(item, settled)

    def tell_topics(self) -> None:
        """Let health say which topics take no records now."""
        problem = self.outgoing.problem()
        if problem is None:
            self.health.works(Part.TOPICS)
        else:
            self.health.fails(Part.TOPICS, problem)

    async def _write(self, records: Sequence[OutRecord]) -> None:
        began = time.perf_counter()
        await self.outgoing.send(records)
        self.metrics.observe(Metric.OPERATION_DURATION, time.perf_counter() - began, *_SEND)
        for written in records:
            self.metrics.count(Metric.SENT, written.topic)
        if self.health.problems:
            self.health.works(Part.KAFKA)
            self.tell_topics()

    def _count(self, item: Item, settled: Settled) -> None:
        metrics, record = self.metrics, item.content.record
        metrics.count(Metric.COMMANDS, record.topic, settled.label)
        error = ""
        if isinstance(settled, DeadLettered):
            error = settled.reason.value
            metrics.count(Metric.DEAD_LETTERS, record.topic, error)
        metrics.observe(Metric.PROCESS_DURATION, time.perf_counter() - item.begun, record.topic, error)
        metrics.observe(Metric.EVENT_AGE, max(0.0, time.time() - record.timestamp_ms / 1000), record.topic)

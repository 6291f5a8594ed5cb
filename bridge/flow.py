"""One command's way: decide, ask Temporal, announce, answer, mark done. What fails is tried again, in its place."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bridge import mark
from bridge.command import BadRecord, Command, Skipped
from bridge.deadletter import record as deadletter
from bridge.dispatch import dispatcher
from bridge.dispatch.failures import RunIsFullError
from bridge.dispatch.temporal import Temporal
from bridge.errors import ConfigurationError, KafkaAwayError, UnavailableError
from bridge.intake.backlog import Backlog
from bridge.intake.intake import Item, LaneKey
from bridge.intake.lanes import Lane
from bridge.outcome import Accepted, DeadLettered, Duplicate, Outcome, Rejected, Settled, TargetMissing
from bridge.outcomes import lifecycle, replies
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import RunFacts
from bridge.outcomes.outbox import Outbox
from bridge.routes import Routes
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric
from topics.replies import DeadLetterReason

BACKOFF_FIRST = timedelta(milliseconds=100)
BACKOFF_MAX = timedelta(seconds=5)
LOOK_FOR_TARGET_MAX = timedelta(seconds=2)
FRESH = timedelta(seconds=5)  # how long a record that is new to us counts as one that nobody can have handled

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Flow:
    """Everything that a command meets on its way."""

    temporal: Temporal
    outbox: Outbox
    backlog: Backlog
    routes: Routes
    health: Health
    metrics: Metrics

    async def work(self, lane: Lane[LaneKey, Item]) -> timedelta | None:
        """Handle the lane's first item: None means done, a time means try again after it."""
        item = lane.items[0]
        try:
            if item.settled is None:
                outcome = await self._settle(item, lane)
                if isinstance(outcome, timedelta):
                    return outcome
                item.settled = outcome  # an announcement that fails is repeated, the effect is not
            await self._announce(item, item.settled, lane.attempts + 1)
        except UnavailableError as error:
            return self._unavailable(error, lane.attempts)
        except ConfigurationError as error:
            # Nothing is wrong with the command: it waits until a person has mended what is.
            self.health.fails(Part.CONFIGURATION, str(error))
            self.metrics.count(Metric.RETRIES, Part.CONFIGURATION)
            return BACKOFF_MAX
        except Exception:  # a defect of ours: it holds its own key and shows, the rest goes on
            log.exception(Log.COMMAND_CRASHED, **_coordinates(item))
            self.metrics.count(Metric.RETRIES, "crash")
            return BACKOFF_MAX
        item.done()
        return None

    async def _settle(self, item: Item, lane: Lane[LaneKey, Item]) -> Settled | timedelta:
        content = item.content
        if isinstance(content, Skipped):
            return Duplicate(None)
        if isinstance(content, BadRecord):
            return DeadLettered(content.reason, content.detail)
        fresh = item.is_new and not content.replayed and lane.attempts == 0 and _age(content) < FRESH
        outcome: Outcome = await dispatcher.dispatch(self.temporal, content, fresh=fresh)
        self.health.works(Part.TEMPORAL)
        self.health.works(Part.CONFIGURATION)
        if isinstance(outcome, TargetMissing):
            return await self._without_target(item, content, lane)
        return outcome

    async def _without_target(self, item: Item, command: Command, lane: Lane[LaneKey, Item]) -> Settled | timedelta:
        """Wait while a start may still come: within the route's wait, and while starts are unread."""
        missing = DeadLettered(DeadLetterReason.TARGET_MISSING, f"no run of {command.workflow_id} was found")
        behind = list(lane.items)[1:]
        if any(isinstance(later.content, Command) and later.content.route.verb.starts for later in behind):
            return missing  # its start comes after it in its own partition: to wait would be to wait for ever
        if item.last_look:
            return missing
        wait_ms = command.route.wait // timedelta(milliseconds=1)
        until_ms = command.record.timestamp_ms + wait_ms
        left = timedelta(milliseconds=until_ms - time.time() * 1000)
        if left > timedelta(0):
            return min(_backoff(lane.attempts, LOOK_FOR_TARGET_MAX), left + BACKOFF_FIRST)
        topics = self.routes.topics_that_start(command.workflow_id)
        if not await self.backlog.is_read(topics, until_ms, item.partition):
            return LOOK_FOR_TARGET_MAX
        item.last_look = True  # a start may have taken effect since the last look
        return BACKOFF_FIRST

    async def _announce(self, item: Item, settled: Settled, attempts: int) -> None:
        content = item.content
        if isinstance(content, Skipped):
            self.metrics.count(Metric.COMMANDS, content.record.topic, "skipped")
            return
        await self.outbox.send(self._records(content, settled, attempts))
        self.health.works(Part.KAFKA)
        self._count(content, settled)

    def _records(self, content: Command | BadRecord, settled: Settled, attempts: int) -> Sequence[OutRecord]:
        group = self.temporal.group
        records: list[OutRecord | None] = []
        if isinstance(settled, DeadLettered):
            now = datetime.now(UTC)
            records.append(
                deadletter.dead_letter(
                    content.record, settled.reason, settled.detail, group=group, attempts=attempts, failed_at=now
                )
            )
        if isinstance(settled, Accepted) and settled.began and isinstance(content, Command):
            records.append(self._started(content, settled.run_id or ""))
        records.append(replies.reply(content, settled, group))
        return [record for record in records if record is not None]

    def _started(self, command: Command, run_id: str) -> OutRecord | None:
        route = command.route
        if not route.lifecycle:
            return None
        run = RunFacts(
            namespace=self.temporal.namespace,
            workflow_id=command.workflow_id,
            run_id=run_id,
            first_run_id=run_id,
            workflow_type=route.workflow or "",
            task_queue=route.task_queue or "",
        )
        return lifecycle.started(mark.of(command, self.temporal.group), run, route.lifecycle)

    def _count(self, content: Command | BadRecord, settled: Settled) -> None:
        topic = content.record.topic
        self.metrics.count(Metric.COMMANDS, topic, _label(settled))
        if isinstance(settled, DeadLettered):
            self.metrics.count(Metric.DEAD_LETTERS, topic, settled.reason.value)
            log.warning(
                Log.DEAD_LETTER,
                reason=settled.reason.value,
                topic=topic,
                partition=content.record.partition,
                offset=content.record.offset,
            )

    def _unavailable(self, error: UnavailableError, attempts: int) -> timedelta:
        part = Part.KAFKA if isinstance(error, KafkaAwayError) else Part.TEMPORAL
        self.metrics.count(Metric.RETRIES, part)
        if not isinstance(error, RunIsFullError):
            self.health.fails(part, str(error))
        return _backoff(attempts, BACKOFF_MAX)


def _backoff(attempts: int, most: timedelta) -> timedelta:
    full: timedelta = min(BACKOFF_FIRST * 2 ** min(attempts, 16), most)
    return full * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _age(command: Command) -> timedelta:
    return timedelta(milliseconds=time.time() * 1000 - command.record.timestamp_ms)


def _label(settled: Settled) -> str:
    match settled:
        case Accepted():
            return "accepted"
        case Duplicate():
            return "duplicate"
        case Rejected():
            return "rejected"
        case DeadLettered():
            return "dead_lettered"


def _coordinates(item: Item) -> dict[str, object]:
    record = item.content.record
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}

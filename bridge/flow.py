"""One command's way: decide, ask Temporal, announce, answer, mark done. What fails is tried again, in its place."""

import random
import time
from dataclasses import dataclass, field
from datetime import timedelta

from bridge.announcing import Announcing
from bridge.command import BadRecord, Command, Skipped
from bridge.dispatch import dispatcher
from bridge.dispatch.admission import Admission
from bridge.dispatch.failures import KeyMustWaitError, OverloadedError
from bridge.dispatch.namespaces import Namespaces
from bridge.dispatch.rates import Rates
from bridge.errors import ConfigurationError, KafkaAwayError, TopicRefusedError, UnavailableError
from bridge.intake import target
from bridge.intake.breaker import BAD_IN_A_ROW_MAX, Breaker
from bridge.intake.item import Item, LaneKey
from bridge.intake.lanes import Lane
from bridge.intake.target import Targets
from bridge.outcome import DeadLettered, Settled, TargetMissing
from bridge.routes import Missing, Verb
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric
from bridge.telemetry.spans import NoSpans, Spans
from topics.replies import DeadLetterReason

BACKOFF_FIRST = timedelta(milliseconds=100)
BACKOFF_MAX = timedelta(seconds=5)
FRESH_MS = 5000  # how long a record that is new to us counts as one that nobody can have handled
RESENT_MS = 1000  # a record this much younger than its command's own time may not be the first one with it

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Flow:
    """Everything that a command meets on its way."""

    namespaces: Namespaces
    announcing: Announcing
    targets: Targets
    admission: Admission
    breaker: Breaker
    health: Health
    metrics: Metrics
    rates: Rates = field(default_factory=Rates)
    spans: Spans = field(default_factory=NoSpans)

    async def work(self, lane: Lane[LaneKey, Item]) -> timedelta | None:
        """Handle the lane's first item: None means done, a time means try again after it."""
        item = lane.items[0]
        try:
            again_after = await self._handle(item, lane)
        except UnavailableError as error:
            # A run that is full, or has no worker, may stay so: the drain need not wait for it.
            item.stalled = not isinstance(error, KeyMustWaitError)
            if item.stalled:  # else all that an outage held would go at once after it, whatever the route's rate
                item.has_turn = False
            return self._unavailable(error, item, lane.attempts)
        except ConfigurationError as error:
            # Nothing is wrong with the command: it waits until a person has mended what is.
            item.stalled = True
            self.health.fails(Part.CONFIGURATION, str(error))
            self._count_retry(item, Part.CONFIGURATION)
            return BACKOFF_MAX
        except Exception:  # a defect of ours: it holds its own key and shows, the rest goes on
            log.exception(Log.COMMAND_CRASHED, **item.coordinates)
            self._count_retry(item, "crash")
            return BACKOFF_MAX
        if again_after is None:
            item.done()
        return again_after

    async def _handle(self, item: Item, lane: Lane[LaneKey, Item]) -> timedelta | None:
        content = item.content
        if isinstance(content, Skipped):
            self.metrics.count(Metric.COMMANDS, content.record.topic, "skipped")
            return None
        if not lane.attempts:
            item.begun = time.perf_counter()
            item.span, content = self.spans.begin(content)
            item.content = content
        if item.settled is None:
            if isinstance(content, Command):
                settled = await self._carry_out(item, content, lane)
            else:
                settled = self._refuse(content)
            item.stalled = False
            if isinstance(settled, timedelta):
                return settled
            item.settled = settled  # an announcement that fails is repeated, the effect is not
        attempts = lane.attempts - item.held + 1
        await self.announcing.announce(item, content, item.settled, attempts)
        if isinstance(content, BadRecord):
            self._bad(content.record.topic)
        item.span.ends(item.settled, attempts)
        return None

    def _refuse(self, bad: BadRecord) -> DeadLettered | timedelta:
        return self.breaker.remaining(bad.record.topic) or DeadLettered(bad.reason, bad.detail)

    async def _carry_out(self, item: Item, command: Command, lane: Lane[LaneKey, Item]) -> Settled | timedelta:
        self._sound(command.record.topic)
        route = command.route
        if route.rate is not None and not item.has_turn:
            item.has_turn = True
            if turn := self.rates.turn(route, item.assignment):
                item.held += 1
                return turn
        temporal = self.namespaces.of(route)
        fresh = item.is_new and lane.attempts == item.held and _is_first(command)
        item.span.asks(command)
        if route.verb is Verb.UPDATE:
            # It takes as long as its workflow's worker, which tells nothing of the server; its gateway bounds it.
            outcome = await dispatcher.dispatch(temporal, command, fresh=fresh)
        else:
            outcome = await self.admission.run(lambda: dispatcher.dispatch(temporal, command, fresh=fresh))
        item.span.answered(outcome)
        if self.health.problems:
            self.health.works(Part.TEMPORAL)
            self.health.works(Part.CONFIGURATION)
        return await self._wait_or_give_up(item, command, lane) if isinstance(outcome, TargetMissing) else outcome

    async def _wait_or_give_up(
        self, item: Item, command: Command, lane: Lane[LaneKey, Item]
    ) -> DeadLettered | timedelta:
        missing = DeadLettered(DeadLetterReason.TARGET_MISSING, f"no run of {command.workflow_id} was found")
        if command.route.missing is Missing.DEAD_LETTER or item.last_look:
            return missing
        behind = [later.content for later in list(lane.items)[1:]]
        waited = timedelta(seconds=time.perf_counter() - item.begun) if item.is_new else None
        try:
            wait = await self.targets.wait_for(command, item.partition, behind, _backoff(lane.attempts), waited)
        except KafkaAwayError:
            # Whether Kafka is away is the probe's to say. Told from here it would hold the intake, and with it the
            # start that is waited for; and nothing that this command does could take it back.
            self._count_retry(item, Part.KAFKA)
            return target.LOOK_AGAIN
        if wait is None:
            return missing
        item.last_look = wait.last
        return wait.span

    def _sound(self, topic: str) -> None:
        self.breaker.sound(topic)
        if self.health.alerts.pop(topic, None) is not None:
            log.info(Log.TOPIC_GOES_ON, topic=topic)

    def _bad(self, topic: str) -> None:
        if self.breaker.bad(topic):
            seconds = round(self.breaker.remaining(topic).total_seconds())
            self.health.alerts[topic] = f"the last {BAD_IN_A_ROW_MAX} records were bad: stopped for {seconds} s"
            log.error(Log.TOPIC_STOPPED, topic=topic, bad_in_a_row=BAD_IN_A_ROW_MAX, seconds=seconds)

    def _unavailable(self, error: UnavailableError, item: Item, attempts: int) -> timedelta:
        if isinstance(error, TopicRefusedError):
            part = Part.TOPICS
            self.announcing.tell_topics()
        else:
            part = Part.KAFKA if isinstance(error, KafkaAwayError) else Part.TEMPORAL
            if not isinstance(error, KeyMustWaitError | OverloadedError):
                self.health.fails(part, str(error))
        self._count_retry(item, part)
        return _backoff(attempts)

    def _count_retry(self, item: Item, cause: str) -> None:
        self.metrics.count(Metric.RETRIES, cause)
        item.span.fails(cause)


def _backoff(attempts: int) -> timedelta:
    full: timedelta = min(BACKOFF_FIRST * 2 ** min(attempts, 16), BACKOFF_MAX)
    return full * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _is_first(command: Command) -> bool:
    """Return whether the record is the first with its command, as far as its times can tell."""
    written_ms = command.record.timestamp_ms
    is_young = time.time() * 1000 - written_ms < FRESH_MS
    return is_young and written_ms - command.created_ms < RESENT_MS and not command.replayed

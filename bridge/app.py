"""The composition root: the only place that builds, starts, drains and closes the daemon's parts."""

import asyncio
import contextlib
import signal

from temporalio.client import Client

from bridge import connect, errors, interpreter, probe, setup
from bridge.admin import api, server
from bridge.admin.inside import Inside
from bridge.admin.management import Management
from bridge.announcing import Announcing
from bridge.consuming import Consuming
from bridge.dispatch.admission import Admission
from bridge.dispatch.namespaces import Namespaces
from bridge.errors import ExitCode
from bridge.feeding import Feeding
from bridge.flow import Flow
from bridge.intake import offsets
from bridge.intake.backlog import Backlog
from bridge.intake.breaker import Breaker
from bridge.intake.decode import Decoder
from bridge.intake.intake import Intake
from bridge.intake.target import Targets
from bridge.pauses import Pauses
from bridge.pollers import Pollers
from bridge.producer import outgoing as outgoings
from bridge.producer.outgoing import Outgoing
from bridge.settings import Settings
from bridge.telemetry import logs, opening
from bridge.telemetry.calls import Calls
from bridge.telemetry.health import Health, Part
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric
from bridge.telemetry.opening import Telemetry
from topics import spec

log = logs.get(__name__)


async def run(settings: Settings) -> ExitCode:
    """Run the daemon until SIGTERM or SIGINT; raises `BridgeError` where it cannot start."""
    logs.configure()
    for warning in settings.warnings:
        log.warning(Log.SETTING_WARNING, warning=warning)
    settings.require_routes()
    stop = _stop_on_signals()
    log.info(Log.STARTING, group=settings.bridge.group_id)
    health, metrics = Health({Part.INTAKE: "the consumer group is not joined yet"}), Metrics()
    management = Management(settings, health)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(
            server.serve(
                api.application(health, metrics, management), settings.bridge.admin_address, "BRIDGE_ADMIN_ADDRESS"
            )
        )
        address = connect.temporal_config(settings)["target_host"]
        telemetry = await stack.enter_async_context(opening.telemetry(settings, metrics, address))
        client = await _connected(settings, stop)
        if client is None:
            return ExitCode.DONE
        outgoing = await stack.enter_async_context(outgoings.opened(connect.kafka_options(settings)))
        daemon = Daemon(settings, client, outgoing, health, metrics, telemetry)
        management.pausing, management.inside = daemon.pauses, daemon.inside
        interpreter.settle()
        return await daemon.run(stop)


async def _connected(settings: Settings, stop: asyncio.Event) -> Client | None:
    """Return a client once both servers have what the daemon needs, or None when asked to stop before."""

    async def check() -> Client:
        async with connect.kafka_admin(settings) as admin:
            client = await connect.temporal_client(settings)
            missing = await setup.missing(settings, admin, client)
        if missing:
            raise errors.ConfigurationError(*missing, "Run `bridge setup apply` to make what is missing.")
        return client

    checking = asyncio.create_task(check())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({checking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if checking.done():
        return checking.result()
    checking.cancel()
    await asyncio.wait({checking})
    return None


class Daemon:
    """The parts of a running daemon."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        outgoing: Outgoing,
        health: Health,
        metrics: Metrics,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry()
        self._health = health
        self.pauses = Pauses(
            spec.paused_topic(settings.bridge.group_id).name, connect.kafka_options(settings), outgoing
        )
        clients = connect.in_namespaces(client, settings.routes.namespaces)
        self._feeding = Feeding(settings, clients, outgoing, lambda: self._intake.consumer, health, metrics)
        self._admission = Admission(settings.bridge.max_in_flight)
        self._breaker = Breaker()
        decoder = Decoder(settings.routes, settings.skip_unroutable, frozenset(settings.bridge.reply_topics))
        namespaces = Namespaces(
            clients, settings.bridge.group_id, settings.bridge.max_in_flight, self._feeding.modes, Calls(metrics)
        )
        self._announcing = Announcing(namespaces, outgoing, health, metrics)
        flow = Flow(
            namespaces,
            self._announcing,
            Targets(settings.routes, Backlog(lambda: self._intake.consumer)),
            self._admission,
            self._breaker,
            health,
            metrics,
            spans=self._telemetry.spans,
        )
        self._intake = Intake(
            decoder,
            flow.work,
            in_flight_max=settings.bridge.max_in_flight,
            waiting_max=settings.bridge.max_waiting,
            is_held=self._is_held,
            health=health,
            took=metrics.took,
        )
        self._consuming = Consuming(settings, self._intake, health)
        self.inside = Inside(self._intake, self._breaker, health, self.pauses.holds)
        self._pollers = Pollers(clients, settings.routes)
        self._renewal = connect.Renewal(client, settings)
        self._probe = probe.Probe(
            client,
            lambda: offsets.answers(self._intake.consumer),
            health,
            kafka_refusal=lambda: connect.kafka_refusal(settings),
        )
        metrics.gauge(Metric.IN_FLIGHT, lambda: self._intake.lanes.in_hand)
        metrics.gauge(Metric.WAITING, lambda: self._intake.lanes.waiting)
        metrics.gauge(Metric.PAUSED_PARTITIONS, lambda: self._intake.paused_partitions)
        metrics.gauge(Metric.LANES, lambda: self._intake.lanes.count)
        metrics.gauge(Metric.LANE_DEPTH, lambda: self._intake.lanes.depth)
        metrics.gauge(Metric.LAG, lambda: self._intake.lag.records)
        metrics.gauge(Metric.PARTITION_LAG, lambda: self._intake.lag.by_partition)
        metrics.gauge(Metric.PARTITION_OFFSET, lambda: self._intake.lag.offset_by_partition)
        metrics.gauge(Metric.COMMIT_AGE, lambda: self._intake.committing.age_seconds)
        metrics.gauge(Metric.POLLERS, lambda: self._pollers.found)
        metrics.gauge(Metric.ADMISSION_LIMIT, lambda: self._admission.limit)
        metrics.gauge(Metric.ANSWER_SECONDS, lambda: self._admission.mean_seconds)

    async def run(self, stop: asyncio.Event) -> ExitCode:
        """Work until `stop` is set, then drain."""
        beside = {
            "lanes": self._intake.lanes.run,
            "probe": self._probe.run,
            "topics": self._watch_topics,
            "pollers": self._pollers.run,
            "metrics": self._telemetry.send_metrics,
            "feeding": self._feeding.run,
            "pauses": self.pauses.run,
            "renewal": self._renewal.run,
        }
        async with self.pauses, asyncio.TaskGroup() as group:
            running = [group.create_task(run(), name=name) for name, run in beside.items()]
            code = await self._consuming.run(stop)
            for task in running:
                task.cancel()
        return code

    def _is_held(self, topic: str) -> bool:
        return self._health.holds_intake or self.pauses.holds(topic) or bool(self._breaker.remaining(topic))

    async def _watch_topics(self) -> None:
        """Forget a topic that nobody writes to any more, and see how paused ones grow, also when no command arrives."""
        while True:
            self._announcing.tell_topics()
            await self._intake.lag.look_at_paused()
            await asyncio.sleep(probe.EVERY.total_seconds())


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop

"""The life of the consumer: polled until the daemon is to stop, replaced where it is stuck, drained at the end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import InvalidSessionTimeoutError, KafkaError

from bridge import closing, connect
from bridge.errors import ConfigurationError, ExitCode
from bridge.intake import subscription, watchdog
from bridge.intake.intake import Intake
from bridge.settings import Settings
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

STOP_TIMEOUT = timedelta(seconds=5)
AGAIN_AFTER = timedelta(seconds=1)  # where Kafka is away

log = logs.get(__name__)


class Consuming:
    """Gives one intake a consumer after the other."""

    def __init__(self, settings: Settings, intake: Intake, health: Health) -> None:
        self._settings = settings
        # Once: what is in files renews itself, and files that cannot be used yet must not end a daemon that runs.
        self._options = connect.kafka_options(settings)
        self._intake = intake
        self._health = health

    async def run(self, stop: asyncio.Event) -> ExitCode:
        """Poll until `stop` is set, then drain; a consumer that is stuck is replaced."""
        while True:
            async with self._consumer(stop) as consumer:
                if stop.is_set() and consumer is None:  # it has not joined, so that nothing is in hand
                    self._intake.stop()
                    return ExitCode.DONE
                if consumer is None:
                    continue
                polling = asyncio.create_task(self._intake.run(consumer), name="poll")
                stuck = asyncio.create_task(watchdog.stuck(self._intake), name="watchdog")
                await _until(stop, polling, stuck)
                stuck.cancel()
                if stop.is_set():
                    log.info(Log.DRAINING)
                    self._health.problems[Part.INTAKE] = "draining"
                    return await self._drain(polling)
                if polling.done():
                    polling.result()  # it ends only by failing
                log.error(Log.CONSUMER_REBUILT, reason=stuck.result())
                self._health.fails(Part.INTAKE, stuck.result())
                polling.cancel()  # the poll that hangs goes with its consumer
                await asyncio.wait({polling})
                await self._intake.abandon()

    async def _drain(self, polling: "asyncio.Task[None]") -> ExitCode:
        self._intake.stop()
        try:
            async with asyncio.timeout(self._settings.bridge.drain_timeout.total_seconds()):
                await asyncio.wait({polling})
                await self._intake.finish()
        except TimeoutError:
            log.error(Log.DRAIN_TIMED_OUT, unfinished=self._intake.lanes.waiting)  # noqa: TRY400 - no defect: no traceback
            return ExitCode.DRAIN_TIMED_OUT
        log.info(Log.DRAINED)
        return ExitCode.DONE

    @contextlib.asynccontextmanager
    async def _consumer(self, stop: asyncio.Event) -> AsyncIterator[AIOKafkaConsumer | None]:
        """Hold a consumer that has joined the group; None where Kafka is away, or `stop` was set before."""
        kafka = self._settings.kafka
        broker = subscription.broker(kafka, self._options)
        subscriber = subscription.subscriber(
            broker, self._settings.routes.topics, self._settings.bridge.group_id, kafka, self._intake
        )
        # It may take as long as the other members take to drain, and for ever where a topic is gone.
        starting = asyncio.create_task(broker.start(), name="join")
        try:
            await _until(stop, starting)
            yield subscriber.consumer if starting.done() and await self._has_joined(starting, stop) else None
        finally:
            starting.cancel()
            await asyncio.wait({starting})
            with contextlib.suppress(TimeoutError):  # the group notices by itself that we are gone
                async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
                    if (consumer := subscriber.consumer) is not None:
                        await closing.close(consumer, broker.stop)

    async def _has_joined(self, starting: "asyncio.Task[None]", stop: asyncio.Event) -> bool:
        try:
            starting.result()
        except InvalidSessionTimeoutError as error:
            kafka = self._settings.kafka
            raise ConfigurationError(
                f"Kafka at {kafka.bootstrap_servers} takes no session of {kafka.session_timeout_ms} ms: "
                "correct KAFKA_SESSION_TIMEOUT_MS, or the brokers' bounds "
                "(group.min.session.timeout.ms, group.max.session.timeout.ms)."
            ) from error
        except KafkaError as error:
            self._health.fails(Part.INTAKE, f"{type(error).__name__}: {error}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_AFTER.total_seconds()):
                    await stop.wait()
            return False
        return True


async def _until(stop: asyncio.Event, *tasks: "asyncio.Task[Any]") -> None:
    """Return once `stop` is set, or one of the tasks has ended."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()

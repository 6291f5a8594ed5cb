"""Looks now and then whether the servers answer, so that readiness tells the truth also when no command arrives."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import temporalio.api.workflowservice.v1 as workflowservice
from aiokafka.errors import KafkaError
from temporalio.client import Client
from temporalio.service import RPCError

from bridge.dispatch import failures
from bridge.dispatch.failures import OverloadedError, RefusedByTemporalError
from bridge.errors import ConfigurationError, KafkaAwayError, TemporalAwayError
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

EVERY = timedelta(seconds=5)
TIMEOUT = timedelta(seconds=4)  # with the time between two looks: what is wrong shows within 10 s
KAFKA_LOGIN = "kafka login"

log = logs.get(__name__)


async def _nothing() -> str | None:
    return None


class Probe:
    """Tells health what it sees. Of what others told it takes nothing back, but that Temporal is away."""

    def __init__(
        self,
        client: Client,
        kafka_answers: Callable[[], Awaitable[bool]],
        health: Health,
        kafka_refusal: Callable[[], Awaitable[str | None]] = _nothing,
    ) -> None:
        """Take a client of the namespace to look at, what asks Kafka, and what asks it why it does not let us in."""
        self._client = client
        self._kafka_answers = kafka_answers
        self._kafka_refusal = kafka_refusal
        self._health = health
        self._told: dict[Part, str] = {}

    async def run(self) -> None:
        """Look until cancelled, at each server for itself."""
        async with asyncio.TaskGroup() as group:
            for look in (self.look_at_temporal, self.look_at_kafka):
                group.create_task(_repeated(look), name=look.__name__)

    async def look_at_temporal(self) -> None:
        """Ask whether Temporal answers, and lets us into the namespace."""
        try:
            await self._ask_temporal()
        except TemporalAwayError as error:
            self._health.fails(Part.TEMPORAL, str(error))
            return
        except ConfigurationError as error:
            self._tell(Part.CONFIGURATION, str(error))
        else:
            self._tell(Part.CONFIGURATION, None)
        self._health.works(Part.TEMPORAL)

    async def look_at_kafka(self) -> None:
        """Ask whether Kafka answers: a poll says nothing while it does not."""
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                answers = await self._kafka_answers()
        except KafkaAwayError:
            return  # the consumer is being replaced, which is told already
        except (KafkaError, TimeoutError):
            answers = False
        self._tell(Part.KAFKA, None if answers else "no broker answers")
        self._alert(None if answers else await self._kafka_refusal())

    async def _ask_temporal(self) -> None:
        request = workflowservice.DescribeNamespaceRequest(namespace=self._client.namespace)
        try:
            await self._client.workflow_service.describe_namespace(request, timeout=TIMEOUT)
        except RPCError as error:
            with contextlib.suppress(OverloadedError, RefusedByTemporalError):  # it answers
                failures.meaning(error)
        except RuntimeError as error:  # how the client says that it cannot connect
            raise TemporalAwayError(str(error)) from error

    def _alert(self, refusal: str | None) -> None:
        if refusal is None:
            self._health.alerts.pop(KAFKA_LOGIN, None)
        elif self._health.alerts.get(KAFKA_LOGIN) != refusal:
            self._health.alerts[KAFKA_LOGIN] = refusal
            log.error(Log.MISCONFIGURED, problem=refusal)

    def _tell(self, part: Part, problem: str | None) -> None:
        if problem is not None:
            if part not in self._health.problems:
                self._told[part] = problem
                self._health.fails(part, problem)
        elif self._health.problems.get(part) == self._told.pop(part, object()):
            self._health.works(part)


async def _repeated(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await look()
        await asyncio.sleep(EVERY.total_seconds())

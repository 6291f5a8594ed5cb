"""Tell Kafka what happened, from activities."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from workers.sdk import record
from workers.sdk.command import CommandReference, current_command
from workers.sdk.interceptor import emit_numbers


class EmitError(Exception):
    """Kafka did not acknowledge an event in time: let the activity be retried, its events keep their ids."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. `key` is the business id: the record's key and the event's subject.

    `cause` is the command that led to it, by default the current one.
    """

    topic: str
    type: str
    data: record.Data
    key: str
    cause: CommandReference | None = None


class Spans(Protocol):
    """Records a span for each event that is sent; `workers.sdk.opentelemetry` has one."""

    def sending(self, records: Sequence[record.Record]) -> AbstractContextManager[None]:
        """Hold the spans of the events, each with the id that its `traceparent` names, while they are sent."""


class Emitter(ABC):
    """Emits events; build activities with one, so that tests can give them `workers.sdk.testing.MemoryEmitter`.

    The n-th event of an attempt has the n-th id: an activity that emits several does so in the same order each time.
    `spans` records a span for each event; None records nothing.
    """

    spans: Spans | None = None

    async def emit(
        self,
        topic: str,
        event_type: str,
        data: record.Data,
        *,
        key: str,
        cause: CommandReference | None = None,
    ) -> str:
        """Publish one event and return its id once every in-sync replica has it; raises as `emit_all` does."""
        (event_id,) = await self.emit_all([Event(topic, event_type, data, key, cause)])
        return event_id

    async def emit_all(self, events: Sequence[Event]) -> list[str]:
        """Publish `events` in order, and return their ids once every in-sync replica has them all.

        Raises `EmitError` when Kafka is away: the activity's policy has it repeated, and the copies have the same ids.
        An event that Kafka will never take, as it is too large, raises an `ApplicationError` that is not retried.
        """
        origins = [_origin() for _ in events]
        records = [_record(event, origin) for event, origin in zip(events, origins, strict=True)]
        with self.spans.sending(records) if self.spans is not None else nullcontext():
            await self._deliver(records)
        return [str(origin.event_id) for origin in origins]

    @abstractmethod
    async def _deliver(self, records: Sequence[record.Record]) -> None:
        """Hand `records` over in order, and return when all are safe."""


def _record(event: Event, origin: record.Origin) -> record.Record:
    cause = event.cause or current_command()
    return record.build(event.topic, event.type, event.data, key=event.key, origin=origin, cause=cause)


def _origin() -> record.Origin:
    info = activity.info()
    numbers = emit_numbers.get()
    if numbers is None:
        raise RuntimeError("emit() needs the worker to have BridgeInterceptor: add BridgePlugin to its plugins.")
    if info.workflow_id is None or info.workflow_run_id is None:
        raise RuntimeError("emit() needs an activity that a workflow started: the event's id is made of the run's.")
    return record.Origin(
        workflow_id=info.workflow_id,
        run_id=info.workflow_run_id,
        activity_id=info.activity_id,
        task_queue=info.task_queue,
        # When the first attempt was scheduled: all attempts have it.
        time=info.scheduled_time,
        number=next(numbers),
    )

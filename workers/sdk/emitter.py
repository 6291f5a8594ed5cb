"""Tell Kafka what happened, from activities."""

from abc import ABC, abstractmethod

from temporalio import activity

from workers.sdk import record
from workers.sdk.command import CommandReference, current_command
from workers.sdk.interceptor import emit_numbers


class EmitError(Exception):
    """Kafka did not acknowledge an event in time: let the activity be retried, its events keep their ids."""


class Emitter(ABC):
    """Emits events; build activities with one, so that tests can give them `workers.sdk.testing.MemoryEmitter`."""

    async def emit(
        self,
        topic: str,
        event_type: str,
        data: record.Data,
        *,
        key: str,
        cause: CommandReference | None = None,
    ) -> str:
        """Publish an event and return its id once every in-sync replica has it.

        `key` is the business id: the record's key and the event's subject. `cause` is the command that led to it, by
        default the current one. An activity that emits several does so one after another, always in the same order,
        as the n-th emit has the n-th id. Raises `EmitError` when Kafka is away.
        """
        cause = cause or current_command()
        event = record.build(topic, event_type, data, key=key, origin=_origin(), cause=cause)
        await self._deliver(event)
        return next(value.decode() for name, value in event.headers if name == "ce_id")

    @abstractmethod
    async def _deliver(self, event: record.Record) -> None:
        """Hand `event` over, and return when it is safe."""


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

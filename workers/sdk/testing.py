"""For tests: an emitter that keeps the events in memory, and an attempt for activities without a worker."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from workers.sdk.command import CommandLike, CommandReference, current
from workers.sdk.emitter import EmitError, Emitter
from workers.sdk.interceptor import emit_numbers
from workers.sdk.record import Record


@dataclass(slots=True)
class MemoryEmitter(Emitter):
    """Keeps what was emitted in `records`; fails as Kafka would as long as `away` is positive, counting it down."""

    records: list[Record] = field(default_factory=list)
    away: int = 0

    async def _deliver(self, records: Sequence[Record]) -> None:
        if self.away > 0:
            self.away -= 1
            raise EmitError("Kafka did not take the events: it is away.")
        self.records.extend(records)


@contextmanager
def attempt(command: CommandLike | None = None) -> Iterator[None]:
    """Do for an activity in `temporalio.testing.ActivityEnvironment` what the interceptor does for an attempt."""
    command_token = current.set(None if command is None else CommandReference.to(command))
    numbers_token = emit_numbers.set(itertools.count(1))
    try:
        yield
    finally:
        emit_numbers.reset(numbers_token)
        current.reset(command_token)


def headers(record: Record) -> Mapping[str, str]:
    """Return a record's headers as text."""
    return {name: value.decode() for name, value in record.headers}


def event_types(emitter: MemoryEmitter) -> list[str]:
    """Return the types of what was emitted, in order."""
    return [headers(record)["ce_type"] for record in emitter.records]

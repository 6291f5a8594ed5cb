"""An emitter for tests: the same events, kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.sdk.emitter import EmitError, Emitter
from workers.sdk.record import Record


@dataclass(slots=True)
class MemoryEmitter(Emitter):
    """Keeps what was emitted in `records`; fails as Kafka would as long as `away` is positive, counting it down."""

    records: list[Record] = field(default_factory=list)
    away: int = 0

    async def _deliver(self, event: Record) -> None:
        if self.away > 0:
            self.away -= 1
            raise EmitError(f"Kafka did not take an event for {event.topic}: it is away.")
        self.records.append(event)


def headers(record: Record) -> Mapping[str, str]:
    """Return a record's headers as text."""
    return {name: value.decode() for name, value in record.headers}


def event_types(emitter: MemoryEmitter) -> list[str]:
    """Return the types of what was emitted, in order."""
    return [headers(record)["ce_type"] for record in emitter.records]

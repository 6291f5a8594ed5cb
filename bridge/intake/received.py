"""A record as the client hands it over, made one of ours."""

from typing import Any

from aiokafka.structs import ConsumerRecord

from bridge.command import Record
from bridge.intake import tolerant


def record(received: "ConsumerRecord[Any, Any]") -> Record:
    """Return the record, with what is damaged of it said in words."""
    damage = next((name for name, _ in received.headers if isinstance(name, tolerant.Damage)), None)
    headers = received.headers
    if damage is not None:
        headers = [(str(name), value) for name, value in headers if not isinstance(name, tolerant.BatchDamage)]
    return Record(
        topic=received.topic,
        partition=received.partition,
        offset=received.offset,
        timestamp_ms=received.timestamp,
        key=received.key,
        value=received.value,
        headers=tuple(headers),
        damage=damage.reason if damage is not None else None,
    )

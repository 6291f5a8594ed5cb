"""A record as the client hands it over, made one of ours."""

from typing import Any

from aiokafka.structs import ConsumerRecord

from bridge.command import Record
from bridge.intake import tolerant


def record(received: "ConsumerRecord[Any, Any]") -> Record:
    """Return the record."""
    return Record(
        received.topic,
        received.partition,
        received.offset,
        received.timestamp,
        received.key,
        received.value,
        tuple(received.headers),
    )


def damaged(received: "ConsumerRecord[Any, Any]") -> Record:
    """Return a record that was read past what broke the client, with what is damaged of it said in words."""
    sound = record(received)
    damage = next((name for name, _ in sound.headers if isinstance(name, tolerant.Damage)), None)
    if damage is None:
        return sound
    headers = [(str(name), value) for name, value in sound.headers if not isinstance(name, tolerant.BatchDamage)]
    return sound._replace(headers=tuple(headers), damage=damage.reason)

"""Event ids: UUIDv5 of what the event is about, so that a retried attempt gives the same ids."""

import uuid


def event_id(kind: str, *parts: object) -> uuid.UUID:
    """Return the id of `kind` for `parts`, as the contract makes it: `domain` for events, `request` for commands."""
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, f"kafka-temporal-bridge/{kind}")
    return uuid.uuid5(namespace, "\x1f".join(map(str, parts)))

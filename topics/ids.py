"""Event ids: UUIDv5 of what the event is about, so that a copy has the id of the first."""

import uuid


def event_id(kind: str, *parts: object) -> uuid.UUID:
    """Return the id of kind `lifecycle`, `domain`, `reply` or `request` for `parts`, as the contract makes it."""
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, f"kafka-temporal-bridge/{kind}")
    return uuid.uuid5(namespace, "\x1f".join(map(str, parts)))

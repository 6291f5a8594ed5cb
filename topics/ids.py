"""Event ids: UUIDv5 of what the event is about, so that a copy has the id of the first."""

import functools
import hashlib
import uuid


def event_id(kind: str, *parts: object) -> uuid.UUID:
    """Return the id of kind `lifecycle`, `domain`, `reply` or `request` for `parts`, as the contract makes it."""
    return uuid.UUID(text(kind, *parts))


def text(kind: str, *parts: object) -> str:
    """Return the same id as text."""
    name = "\x1f".join(map(str, parts)).encode()
    # As `uuid.uuid5` makes it, without the object: five of them belong to a command.
    digits = hashlib.sha1(_namespace(kind) + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


@functools.cache
def _namespace(kind: str) -> bytes:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"kafka-temporal-bridge/{kind}").bytes

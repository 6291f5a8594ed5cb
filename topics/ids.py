"""Event ids: UUIDv5 of what the event is about, so that a copy has the id of the first."""

import functools
import hashlib
import uuid

_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def event_id(kind: str, *parts: object) -> uuid.UUID:
    """Return the id of kind `lifecycle`, `domain`, `reply` or `request` for `parts`, as the contract makes it."""
    return uuid.UUID(text(kind, *map(str, parts)))


def text(kind: str, *parts: str) -> str:
    """Return the same id as text."""
    # As `uuid.uuid5` makes it, without the object: five of them belong to a command.
    found = digits(kind, *parts)
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{_VARIANTS[found[16]]}{found[17:20]}-{found[20:32]}"


def digits(kind: str, *parts: str) -> str:
    """Return the 40 hex digits of the hash that the id of `parts` is made of."""
    name = _namespace(kind) + "\x1f".join(parts).encode()
    return hashlib.sha1(name, usedforsecurity=False).hexdigest()


@functools.cache
def _namespace(kind: str) -> bytes:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"kafka-temporal-bridge/{kind}").bytes

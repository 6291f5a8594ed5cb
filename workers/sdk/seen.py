"""Which commands a workflow has taken already."""

import hashlib
from collections.abc import Iterable, Iterator

CAPACITY = 10_000
DIGEST_CHARACTERS = 16
"""64 bits: among 10,000 commands two are taken for one with a chance of 1 in 370 thousand million."""


class Seen:
    """The last 10,000 command identities, oldest first, for signal handlers; beyond that the oldest is forgotten.

    Carry it over continue-as-new as the plain list `list(seen)`: 190 kB of JSON when full.
    """

    def __init__(self, digests: Iterable[str] = ()) -> None:
        """Start with what an earlier run had seen: its `list(seen)`."""
        self._digests = dict.fromkeys(digests)
        self._forget()

    def add(self, source: str, id: str) -> bool:  # noqa: A002 -- CloudEvents names it so
        """Note the command (`source`, `id`); return False if it was seen before."""
        digest = hashlib.sha256(f"{source}\x1f{id}".encode()).hexdigest()[:DIGEST_CHARACTERS]
        if digest in self._digests:
            return False
        self._digests[digest] = None
        self._forget()
        return True

    def __len__(self) -> int:
        return len(self._digests)

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def _forget(self) -> None:
        while len(self._digests) > CAPACITY:
            del self._digests[next(iter(self._digests))]

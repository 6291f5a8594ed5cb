"""Pause and resume, as the API needs it: what keeps it is the daemon's."""

from typing import Protocol


class Pausing(Protocol):
    """What is paused by a person, by topic."""

    def holds(self, topic: str) -> bool:
        """Return whether a topic is paused."""
        ...

    async def set(self, topic: str, *, paused: bool) -> None:
        """Pause a topic, or let it go on; raises `BridgeError`."""
        ...

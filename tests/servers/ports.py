"""Ports for what the tests start: each is given once, as most are chosen long before anything listens there."""

from bridge.dev import ports

HOST = ports.HOST

_GIVEN: set[int] = set()  # of this process; nothing else could know what another fixture has chosen


def free() -> int:
    """Return a free port that no other caller has."""
    while (port := ports.free()) in _GIVEN:
        pass
    _GIVEN.add(port)
    return port

"""Ports for what the tests start: each is given once, as most are chosen long before anything listens there."""

import os
import random
from collections.abc import Mapping

from bridge.dev import ports

HOST = ports.HOST

# Below those that the product chooses by itself, which knows nothing of what was given here.
FREE_FROM, FREE_TO = 10000, 20000
FREE_TRIES = 200

# Not the module's own: hypothesis sets that back before each example, which would then draw what was given already.
_DRAW = random.SystemRandom()
_GIVEN: set[int] = set()  # of this process; nothing else could know what another fixture has chosen


def free() -> int:
    """Return a free port that no other caller has."""
    for _ in range(FREE_TRIES):
        port = _DRAW.randrange(FREE_FROM, FREE_TO)
        if port not in _GIVEN and is_share(port, os.environ) and not ports.is_taken(port):
            _GIVEN.add(port)
            return port
    raise AssertionError(f"no free port between {FREE_FROM} and {FREE_TO}")


def free_pair() -> int:
    """Return the first of two free ports side by side that no other caller has."""
    for _ in range(FREE_TRIES):
        port = free()
        if port + 1 not in _GIVEN and not ports.is_taken(port + 1):
            _GIVEN.add(port + 1)
            return port
    raise AssertionError(f"no two free ports side by side between {FREE_FROM} and {FREE_TO}")


def is_share(port: int, environment: Mapping[str, str]) -> bool:
    """Say whether a port belongs to this process, where pytest-xdist runs several side by side."""
    number = int(environment.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return port % count == number % count

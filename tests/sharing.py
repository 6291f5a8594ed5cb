"""How the tests are dealt to the processes of pytest-xdist; each has servers of its own, started when a test asks.

Folders whose tests share a daemon or servers stay together, and are begun first: the modules of the others then fill
what time is left, so that all processes end at nearly the same moment.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = (
    *("faults", "acceptance", "lifecycle", "dev", "cli", "deadletter", "routes", "telemetry", "connect"),
    *("wire", "admin", "operations", "examples", "compose"),
)
"""Folders of tests, those that take longest first."""


def share(test: str) -> str:
    """Return the name of what one process runs: a folder or a module."""
    module = test.partition("::")[0]
    folder = module.removeprefix("tests/").partition("/")[0]
    return folder if folder in TOGETHER else module


def place(test: str) -> int:
    """Return when the share of a test is begun, 0 first."""
    name = share(test)
    return TOGETHER.index(name) if name in TOGETHER else len(TOGETHER)


class Sharing(LoadScopeScheduling):
    """Deals the shares in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False  # it would begin with those of the most tests, which may be quick ones
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)

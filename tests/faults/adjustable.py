"""A Temporal server that can be told to limit or to deny."""

import dataclasses
from pathlib import Path

from bridge.dev import processes
from tests.servers.fixtures import Temporal


class Adjustable(Temporal):
    """Keeps its data over restarts; each start has the dynamic configuration that it is told, and no other."""

    def __init__(self, guard: processes.Guard, folder: Path) -> None:
        super().__init__(guard, folder)
        self._plain = self.program

    def restart_with(self, *values: str) -> None:
        """Start anew with values such as `frontend.namespaceRPS=25`."""
        told = (word for value in values for word in ("--dynamic-config-value", value))
        self.stop()
        self.program = dataclasses.replace(self._plain, argv=(*self._plain.argv, *told))
        self.start()
        self.wait_ready()

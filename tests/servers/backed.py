"""A server of the tests: a process of this machine, or a container, behind one face."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.dev import processes, server
from bridge.dev.server import Program
from tests.servers import choice
from tests.servers.choice import Servers
from tests.servers.contained import Box, Contained


class Backed(server.Server):
    """Starts, stops, kills and freezes; with a `box` the program runs in a container."""

    def __init__(self, guard: processes.Guard, program: Program, box: Box | None = None) -> None:
        super().__init__(guard, program)
        self._contained = None if box is None else Contained(guard, box)

    @property
    def exit_code(self) -> int | None:
        if self._contained is None or self._process is None:
            return super().exit_code
        return self._contained.exit_code

    def start(self) -> None:
        if self._contained is None:
            super().start()
        else:
            self._process = self._contained.start(self.program)

    def stop(self, within: timedelta | None = None) -> None:
        if self._contained is not None and self._process is not None:
            self._contained.stop(within or self.program.stop_within)
        super().stop(within)

    def kill(self) -> None:
        if self._contained is not None and self._process is not None:
            self._contained.kill()
        super().kill()

    def freeze(self) -> None:
        """Stop the processes where they are, until `thaw`."""
        assert self._process is not None, "not started yet"
        if self._contained is not None:
            self._contained.freeze()
            return
        os.kill(self._process.pid, signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # its threads stop one after the other

    def thaw(self) -> None:
        """Let them go on."""
        assert self._process is not None, "not started yet"
        if self._contained is not None:
            self._contained.thaw()
        else:
            os.kill(self._process.pid, signal.SIGCONT)

    def edit(self, path: Path, change: Callable[[bytes], bytes]) -> None:
        """Change a file of a server that was stopped."""
        if self._contained is None:
            path.write_bytes(change(path.read_bytes()))
        else:
            self._contained.edit(str(path), change)


class External(Backed):
    """A server that is not ours: it runs, and nobody here takes it away."""

    @property
    def name(self) -> str:
        return type(self).__name__

    def start(self) -> None:
        """Do nothing: it runs."""

    def wait_ready(self) -> None:
        """Do nothing, as above."""

    def stop(self, within: timedelta | None = None) -> None:
        self.kill()

    def kill(self) -> None:
        pytest.skip(f"{self.name} is not ours to take away: --servers=embedded and containers run this test")

    def freeze(self) -> None:
        self.kill()


def is_contained() -> bool:
    """Say whether the servers of this session run in containers."""
    return choice.current() is Servers.CONTAINERS

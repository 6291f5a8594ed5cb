"""One server of the stack: started, waited for, stopped, killed, started again on the same port and data."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bridge import errors
from bridge.dev import guard, processes

TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `ready` looks once; `removal` is a command that ends what killing the process leaves."""

    name: str
    argv: tuple[str, ...]
    log: Path
    ready: Callable[[], bool]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    look_every: timedelta = timedelta(milliseconds=50)
    ready_within: timedelta = timedelta(seconds=30)
    stop_within: timedelta = timedelta(seconds=10)
    removal: tuple[str, ...] = ()


class ServerError(errors.BridgeError):
    """A server ended, or did not become ready; the text ends in the last lines of its log."""


class Server:
    """A program that runs beside us, and its process while it runs."""

    def __init__(self, guarded: processes.Guard, program: Program) -> None:
        self.program = program
        self._guard = guarded
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.program.name

    @property
    def exit_code(self) -> int | None:
        """The exit code of a server that was started and has ended by itself, else None."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the server; it becomes ready later."""
        program = self.program
        self._process = self._guard.spawn(
            program.argv, log=program.log, env=program.env, cwd=program.cwd, removal=program.removal
        )

    def wait_ready(self) -> None:
        """Wait until the server is ready; raise ServerError if it ends before, or takes too long."""
        deadline = time.monotonic() + self.program.ready_within.total_seconds()
        while not self.program.ready():
            if self._process is None or self.exit_code is not None:
                raise self.failure()
            if time.monotonic() > deadline:
                seconds = self.program.ready_within.total_seconds()
                raise ServerError(f"{self.name} was not ready within {seconds:.0f} s.{log_tail(self.program.log)}")
            time.sleep(self.program.look_every.total_seconds())
        if self.exit_code is not None:  # what answers there is another server
            raise self.failure()

    def stop(self, within: timedelta | None = None) -> None:
        """Ask the server to end, and kill it if it has not within this time (default: its own)."""
        if self._process is None:
            return
        guard.send(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait((within or self.program.stop_within).total_seconds())
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            self._forget(self._process)

    def kill(self) -> None:
        """End the server as kill -9 does."""
        if self._process is None:
            return
        self._remove()
        guard.send(self._process.pid, signal.SIGKILL)
        self._process.wait(processes.KILL_WITHIN.total_seconds())
        self._forget(self._process)

    def restart(self) -> None:
        """Start the server again on the same port and data, and wait until it is ready."""
        self.stop()
        self.start()
        self.wait_ready()

    def failure(self) -> ServerError:
        """Say how the server ended, with the last lines of its log."""
        return failure(self.program, self.exit_code)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        self._guard.ended(process)
        self._process = None

    def _remove(self) -> None:
        if self.program.removal:
            subprocess.run(self.program.removal, capture_output=True, check=False)  # noqa: S603 - the program's own


def failure(program: Program, code: int | None) -> ServerError:
    """Say how a program ended, with the last lines of its log."""
    how = "was stopped" if code is None else f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
    error = ServerError(f"{program.name} {how}.{log_tail(program.log)}")
    if code == errors.ExitCode.CONFIGURATION:  # our own programs say so, and have written what is wrong
        error.exit_code = errors.ExitCode.CONFIGURATION
    return error


def log_tail(log: Path) -> str:
    """Return the last lines of a log, as the end of a message."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "".join((f" {log} ends in:", *(f"\n  {line}" for line in lines[-TAIL_LINES:] or ["(nothing)"])))

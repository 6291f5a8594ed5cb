"""Children of this process: each in a process group of its own, under one guard that outlives us."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from bridge import errors
from bridge.dev import guard

KILL_WITHIN = timedelta(seconds=10)

# The child itself tells the guard of its group before it becomes the program: no moment is left in which we could die
# between the fork and the report. The guard's pipe is its standard input, for want of a portable way to name others.
_REPORT_THEN_RUN = 'echo "+$$" >&0; exec "$@" </dev/null'


class Guard:
    """Starts children; when this process dies, however it dies, its guard process ends them within seconds."""

    def __init__(self, keep: Sequence[int] = ()) -> None:
        """Take file descriptors, such as a lock's, that must stay open until the last child has ended."""
        self._keep = tuple(keep)
        self._children: dict[subprocess.Popen[bytes], Sequence[str]] = {}
        """With what removes what killing them leaves."""
        self._starting = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        read, self._pipe = os.pipe()
        with open(read, "rb") as pipe:  # noqa: PTH123 - a descriptor, no path
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-I", "-S", guard.__file__],
                stdin=pipe,
                stdout=subprocess.PIPE,
                start_new_session=True,  # out of reach of the terminal's Ctrl-C and hang-up
                pass_fds=self._keep,
                cwd="/",
            )
        said = self._process.stdout
        if said is None or not said.readline():
            raise errors.BridgeError(f"the guard process did not start; {sys.executable} says why above")
        said.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill_all()
        os.close(self._pipe)
        self._process.wait(KILL_WITHIN.total_seconds())

    @property
    def is_gone(self) -> bool:
        """Say whether somebody has killed the guard process, so that our own death would leave children behind."""
        return self._process.poll() is not None

    def spawn(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        removal: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a program with its output in `log`, which is emptied first.

        `removal` is a command that ends what killing the program leaves (a container).
        """
        if removal:
            self.removes(removal)
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._starting, log.open("wb") as output:
            if self._closed:
                raise errors.BridgeError(f"{argv[0]} was not started: everything is being stopped")
            child = subprocess.Popen(  # noqa: S603 - the programs of the stack
                ["/bin/sh", "-c", _REPORT_THEN_RUN, "sh", *argv],
                stdin=self._pipe,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=env,
                cwd=cwd,
            )
            self._children[child] = removal
        return child

    def run(
        self, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> int:
        """Run a program to its end and return its exit code."""
        child = self.spawn(argv, log=log, env=env, cwd=cwd)
        code = child.wait()
        self.ended(child)
        return code

    def removes(self, argv: Sequence[str]) -> None:
        """Have the guard run a command, too, if we die with children left (for what is no process of ours)."""
        self._tell("!" + shlex.join(argv))

    def ended(self, child: subprocess.Popen[bytes]) -> None:
        """End what a finished child left in its group, and forget it."""
        guard.send(child.pid, signal.SIGKILL)
        self._tell(f"-{child.pid}")
        self._children.pop(child, None)

    def kill_all(self) -> None:
        """Kill every child with what that leaves, and start no other."""
        with self._starting:
            self._closed = True
            children = dict(self._children)
        for child in children:
            guard.send(child.pid, signal.SIGKILL)
        for child, removal in children.items():
            child.wait(KILL_WITHIN.total_seconds())
            if removal:
                guard.remove(shlex.join(removal))
            self.ended(child)

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # the guard was killed: nothing more to tell it
            os.write(self._pipe, line.encode() + b"\n")

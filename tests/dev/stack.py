"""`bridge dev` as a person runs it: a process with its own ports and folder."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bridge.dev import ports
from tests.servers import ports as free_ports

READY = "Everything is ready"
READY_WITHIN_SECONDS = 120.0  # 15 s on a machine that does nothing else
STOPPED_WITHIN_SECONDS = 40.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Dev:
    """A running `bridge dev`."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    output: Path
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str, within: float = READY_WITHIN_SECONDS) -> None:
        """Wait until it has said something, or has ended."""
        wait_until(lambda: text in self.text or self.process.poll() is not None, within, f"{text!r} in {self.text}")
        assert text in self.text, self.text

    def wait(self, within: float = STOPPED_WITHIN_SECONDS) -> int:
        return self.process.wait(within)

    def children(self) -> dict[int, str]:
        """Return every process that it has begun, by its id, with its command."""
        return descendants(self.process.pid)

    def is_gone(self, children: dict[int, str]) -> bool:
        """Say whether none of these processes is left, and nothing listens on its ports."""
        left = set(processes()) & set(children)
        return not left and not any(ports.is_taken(port) for port in self.ports.values())


def wait_until(condition: Callable[[], bool], within: float, what: str) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(POLL_SECONDS)


def processes() -> dict[int, tuple[int, str]]:
    """Return the parent and the command of every process that is not dead already."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return {int(row[0]): (int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith("Z")}


def descendants(pid: int) -> dict[int, str]:
    everything = processes()
    found: dict[int, str] = {}
    parents = {pid}
    while parents:
        parents = {child for child, (parent, _) in everything.items() if parent in parents}
        found |= {child: everything[child][1] for child in parents}
    return found


@contextlib.contextmanager
def running(folder: Path, *flags: str, **chosen: int) -> Iterator[Dev]:
    """Start `bridge dev` with data in `folder`; whatever happens, nothing of it is left behind."""
    names = ("kafka", "temporal", "ui", "admin", "smtp")
    numbers = {name: chosen.get(name) or free_ports.free() for name in names}
    words = [word for name, port in numbers.items() for word in (f"--{name}-port", str(port))]
    output = folder.with_name(f"{folder.name}-{time.monotonic_ns()}.out")
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge.cli", "dev", "--data", str(folder), *words, *flags],
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Dev(folder, process, output, numbers)
        finally:
            left = descendants(process.pid)
            process.kill()  # the guard does the rest
            process.wait()
            wait_until(lambda: not set(processes()) & set(left), STOPPED_WITHIN_SECONDS, f"none of {left}")


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]

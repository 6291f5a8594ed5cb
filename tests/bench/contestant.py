"""A process that takes part: started once, paused while its commands are written, and weighed."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.dev import guard, processes, server
from tests.servers import ports

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
# What a contestant is given or sets itself. The bench tunes its own interpreter for one section, which sets TOKIO_*: a
# daemon that found it would leave its Temporal client on all cores.
NOT_PASSED_ON = ("BRIDGE_", "TEMPORAL_", "TOKIO_")


@dataclass(frozen=True, slots=True)
class Entry:
    """Who takes part: `module` of `tests.bench` runs over `topic`, as the group `group`."""

    name: str
    module: str
    topic: str

    @property
    def group(self) -> str:
        """The consumer group."""
        return f"bench-{self.name}" if self.is_bridge else self.topic

    @property
    def is_bridge(self) -> bool:
        """Whether it is the daemon itself."""
        return self.module == "daemon"


class Contestant(server.Server):
    """The process of an entry."""

    def __init__(self, guarded: processes.Guard, entry: Entry, folder: Path, servers: Mapping[str, str]) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        env = {
            **ours,
            **servers,
            "PYTHONPATH": str(ROOT),
            "BRIDGE_GROUP_ID": entry.group,
            "BRIDGE_ADMIN_ADDRESS": f"{ports.HOST}:{ports.free()}",
            "KAFKA_SESSION_TIMEOUT_MS": "45000",
        }
        program = server.Program(
            name=entry.name,
            argv=(sys.executable, "-m", f"tests.bench.{entry.module}", entry.topic),
            log=folder / f"{entry.name}.log",
            ready=lambda: True,  # the first commands warm it up
            env=env,
            cwd=folder,
        )
        super().__init__(guarded, program)
        self.entry = entry

    @property
    def pid(self) -> int:
        """The process's number."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold the process still, so that a backlog is there when it goes on."""
        guard.send(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            guard.send(self.pid, signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """Return the user and system time that the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self) -> int:
        """Return the most memory that was resident since `forget_peak`, in bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("this system does not tell a process's memory: the bench needs Linux")

    def forget_peak(self) -> None:
        """Let the peak begin at what is resident now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

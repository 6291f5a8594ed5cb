"""One `bridge run` of a group, watched from outside: its log, its metrics, what it takes of the machine."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.program import Program
from tests.faults import inside
from tests.faults.evidence import Usage
from tests.servers import ports

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parents[2]


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


class Hurt(Program):
    """`bridge` with a fault inside (see `tests.faults.inside`)."""

    command = (sys.executable, "-m", "tests.faults.inside")


class Mute(Program):
    """`bridge` whose log goes where nothing can be read of it."""

    def __init__(self, guard: processes.Guard, folder: Path, env: Mapping[str, str], sink: Path) -> None:
        super().__init__(guard, folder, env, "run")
        self._sink = sink

    @property
    def text(self) -> str:
        return ""

    def next_log(self) -> Path:
        return self._sink


class Member:
    """A process of the group; `starts` of it follow one another."""

    def __init__(
        self, name: str, guard: processes.Guard, folder: Path, env: Mapping[str, str], sink: Path | None = None
    ) -> None:
        """Name it; `sink` is a pipe or a device that takes its log in place of a file."""
        address = f"127.0.0.1:{ports.free()}"
        self.name = name
        self.url = f"http://{address}"
        self.logs = ""
        self.is_frozen = False
        env = dict(env) | {"BRIDGE_ADMIN_ADDRESS": address}
        if sink is not None:
            self.program: Program = Mute(guard, folder / name, env, sink)
        elif inside.NAME in env:
            self.program = Hurt(guard, folder / name, env | {"PYTHONPATH": str(ROOT)}, "run")
        else:
            self.program = Program(guard, folder / name, env, "run")
        (folder / name).mkdir()

    def start(self) -> None:
        """Start it, and wait until it works."""
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        self._keep_log()
        self.program.start()

    def wait_ready(self, within: float = 120.0) -> None:
        program.wait_for_status(f"{self.url}/readyz", 200, self.program, within)

    def wait_not_ready(self, within: float = 60.0) -> None:
        program.wait_for_status(f"{self.url}/readyz", 503, self.program, within)

    def is_ready(self) -> bool:
        return program.get(f"{self.url}/readyz")[0] == 200

    def terminate(self) -> int:
        return self.program.terminate()

    def kill(self) -> None:
        self.program.kill()

    def freeze(self) -> None:
        """Stop it as a machine that is suspended does: it keeps its connections and its belief to own partitions."""
        os.kill(self.pid, signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
        self.is_frozen = False

    @property
    def pid(self) -> int:
        return self.program.process.pid

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's rows with these labels; 0 where it does not answer."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        rows = [row for row in program.get(f"{self.url}/metrics")[1].splitlines() if row.startswith(name)]
        return sum(float(row.rsplit(" ", 1)[1]) for row in rows if all(word in row for word in wanted))

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event, over all starts."""
        text = self.logs + (self.program.text if self.program.log.exists() else "")
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def usage(self) -> Usage:
        """Return what it takes now."""
        descriptors = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        return Usage(self.name, resident_bytes(self.pid), descriptors, self.metric("bridge_in_flight"))

    def cpu_seconds(self) -> float:
        """Return the processor's time that it has taken since its start."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def _keep_log(self) -> None:
        if self.program.log.exists():
            self.logs += self.program.text

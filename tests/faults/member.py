"""One `bridge run` of a group, watched from outside: its log, its metrics, what it takes of the machine."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.program import Program
from tests.faults.evidence import Usage
from tests.servers import ports

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Member:
    """A process of the group; `starts` of it follow one another."""

    def __init__(self, name: str, guard: processes.Guard, folder: Path, env: Mapping[str, str]) -> None:
        address = f"127.0.0.1:{ports.free()}"
        self.name = name
        self.url = f"http://{address}"
        self.logs = ""
        self.program = Program(guard, folder / name, dict(env) | {"BRIDGE_ADMIN_ADDRESS": address}, "run")
        (folder / name).mkdir()

    def start(self) -> None:
        """Start it, and wait until it works."""
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        self._keep_log()
        self.program.start()

    def wait_ready(self, within: float = 30.0) -> None:
        program.wait_for_status(f"{self.url}/readyz", 200, self.program, within)

    def wait_not_ready(self, within: float = 20.0) -> None:
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

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

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
        resident = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_BYTES
        descriptors = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        return Usage(self.name, resident, descriptors, self.metric("bridge_in_flight"))

    def _keep_log(self) -> None:
        if self.program.log.exists():
            self.logs += self.program.text

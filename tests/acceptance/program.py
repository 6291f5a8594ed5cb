"""Our programs as a user runs them: the console script, told by environment, watched from outside."""

import itertools
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bridge.dev import processes

BRIDGE = Path(sys.executable).with_name("bridge")
OURS = ("KAFKA_", "TEMPORAL_", "BRIDGE_", "WORKERS_", "OTEL_")
READY_WITHIN_SECONDS = 60.0
EXIT_WITHIN_SECONDS = 40.0
LOOK_SECONDS = 0.05


def environment(**ours: str) -> dict[str, str]:
    """Return this process's environment, with nothing of ours but what is given."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return others | {"TEMPORAL_CONFIG_FILE": os.devnull} | ours


class Program:
    """A command of `bridge`, started again as often as a test wants."""

    command: tuple[str, ...] = (str(BRIDGE),)

    def __init__(self, guard: processes.Guard, folder: Path, env: Mapping[str, str], *words: str) -> None:
        self._guard = guard
        self._folder = folder
        self._env = env
        self._words = words
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "nothing.log"

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, f"{self._words} was not started"
        return self._process

    @property
    def text(self) -> str:
        """What the last start has written."""
        return self.log.read_text(errors="replace")

    def start(self) -> None:
        self.log = self.next_log()
        self._process = self._guard.spawn(
            [*self.command, *self._words], log=self.log, env=dict(self._env), cwd=self._folder
        )

    def next_log(self) -> Path:
        """Return where the next start writes."""
        return self._folder / f"{'-'.join(self._words)}-{next(self._numbers)}.log"

    def wait(self, within: float = EXIT_WITHIN_SECONDS) -> int:
        """Return the exit code."""
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()  # it would disturb the tests that follow
            raise AssertionError(f"{self._words} did not end within {within} s: {self.text[-3000:]}") from None
        self._guard.ended(self.process)
        return code

    def run(self, within: float = EXIT_WITHIN_SECONDS) -> int:
        self.start()
        return self.wait(within)

    def terminate(self) -> int:
        """Ask it to end, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.kill()
        self.wait()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None


def get(url: str) -> tuple[int, str]:
    """Return status and body; 0 where nothing listens."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def wait_for_status(url: str, status: int, program: Program, within: float = READY_WITHIN_SECONDS) -> None:
    """Wait until a page of a running program answers with a status."""
    deadline = time.monotonic() + within
    while (found := get(url))[0] != status:
        assert program.is_running(), program.text[-3000:]
        assert time.monotonic() < deadline, f"{url} answers {found}, not {status}: {program.text[-3000:]}"
        time.sleep(LOOK_SECONDS)

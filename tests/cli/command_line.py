"""The command line as a user drives it: a process, its exit code and its two streams."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge import cli

OURS = ("KAFKA_", "TEMPORAL_", "BRIDGE_", "WORKERS_", "OTEL_", "TRACEPARENT")
WITHIN_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Stdout as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`bridge` in a folder, with nothing of ours in its environment but what is given."""

    folder: Path
    env: Mapping[str, str]

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bridge.cli", *words]

    def environment(self, **more: str) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return others | {"TEMPORAL_CONFIG_FILE": os.devnull} | dict(self.env) | more

    def run(self, *words: str, stdin: bytes = b"", **more: str) -> Ended:
        """Run to the end."""
        done = subprocess.run(
            self.argv(*words),
            input=stdin,
            capture_output=True,
            env=self.environment(**more),
            cwd=self.folder,
            timeout=WITHIN_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def here(self, *words: str, stdin: bytes = b"", **more: str) -> Ended:
        """Run in this process, which saves a second of imports: for what is no matter of processes."""
        out, err = io.StringIO(), io.StringIO()
        streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
        with pytest.MonkeyPatch.context() as patch, streams[0], streams[1]:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith(OURS)]:
                patch.delenv(name)
            for name, value in self.environment(**more).items():
                patch.setenv(name, value)
            code = cli.execute(words)
        return Ended(code, out.getvalue(), err.getvalue())

    @contextlib.contextmanager
    def running(self, *words: str, **more: str) -> "Iterator[subprocess.Popen[bytes]]":
        """Start, and let it run in the block; whatever happens there, no process and no open pipe is left."""
        with subprocess.Popen(
            self.argv(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**more),
            cwd=self.folder,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

"""The stub frontend: how it is started, told what to do and asked what it saw."""

import json
import os
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bridge import errors
from bridge.dev import jars, java, processes, server
from tests.servers import ports

FOLDER = Path(__file__).with_name("stub")
STARTED = b"stub frontend started"
JVM = ("-Xmx3g", "-XX:+UseParallelGC")


@dataclass(frozen=True, slots=True)
class Counts:
    """What the stub was asked since the last reset; `last_us` is the time of the last request, since the epoch."""

    requests: int
    effects: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Reached:
    """What took effect on a workflow id: when the first did, in us, and the request ids in order."""

    arrived_us: int
    request_ids: tuple[str, ...]


class Stub(server.Server):
    """The running stub; `address` is Temporal's to its clients."""

    def __init__(self, guard: processes.Guard, folder: Path) -> None:
        port, self._http_port = ports.free(), ports.free()
        self.address = f"{ports.HOST}:{port}"
        log = folder / "stub.log"
        found, maven = java.find(), jars.maven()
        if found is None or maven is None:
            raise errors.ConfigurationError("the stub frontend needs a JDK 17 or later, and Maven: install both")
        classpath = folder / "stub.classpath"
        argv = (
            maven, "-q", "-B", "-f", str(FOLDER / "pom.xml"), "dependency:build-classpath",
            f"-Dmdep.outputFile={classpath}", "-Dmdep.includeScope=runtime",
        )  # fmt: skip
        if guard.run(argv, log=folder / "maven.log", env=dict(os.environ)) != 0:
            raise errors.ConnectError(f"Maven could not fetch the stub's classes; {folder / 'maven.log'} says why")
        program = server.Program(
            name="stub frontend",
            argv=(
                str(found.binary), *JVM, "-cp", classpath.read_text().strip(),
                str(FOLDER / "Stub.java"), str(port), str(self._http_port),
            ),
            log=log,
            ready=lambda: log.exists() and STARTED in log.read_bytes(),
            ready_within=timedelta(seconds=60),
        )  # fmt: skip
        super().__init__(guard, program)

    def reset(self, *, delay_ms: int = 0, is_open: bool = False, stuck: str = "") -> None:
        """Forget everything; answer after `delay_ms` from now on.

        With `is_open` every workflow id has an open run; ids that begin with `stuck` are told to try again.
        """
        wanted = {"delay_ms": delay_ms, "open": str(is_open).lower(), "stuck": stuck}
        self._get("/reset?" + urllib.parse.urlencode(wanted))

    def make_runs(self, prefix: str, count: int, closing_within_ms: int | None = None) -> None:
        """Make up runs like the one that was started last, with workflow ids that begin with `prefix`.

        They stay open, or close one after another within so many ms from now on.
        """
        wanted = {"prefix": prefix, "count": count, "closing_within_ms": closing_within_ms or 0}
        self._get("/runs?" + urllib.parse.urlencode(wanted))

    def counts(self) -> Counts:
        """Return what was asked."""
        return Counts(**json.loads(self._get("/counts")))

    def effects(self) -> dict[str, Reached]:
        """Return what took effect, by workflow id."""
        lines = (line.split("\t") for line in self._get("/effects").splitlines())
        return {name: Reached(int(arrived), tuple(ids.split(","))) for name, arrived, ids in lines}

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{ports.HOST}:{self._http_port}{path}", timeout=60) as answer:
            text: str = answer.read().decode()
        return text

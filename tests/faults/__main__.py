"""`python -m tests.faults`: make the faults, tell of each, print the table; once all are made, write docs/faults.md."""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults import kept
from tests.faults.report import Report

HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "lifecycle")
PYTEST = ("-p", "tests.faults.picking", "--no-header", "-q", "-rN", "--tb=short")
PROCESSES = 2  # faults are mostly waited for
PARTS = (("-m", "(faults or fault) and not alone", "--numprocesses", str(PROCESSES)), ("-m", "alone"))


class Writing(Report):
    """Writes the page as well, when all has run, together with what earlier runs left in the file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from tests.faults import page  # noqa: PLC0415 - it imports what pytest wants to import itself

        super().pytest_sessionfinish(session)
        if session.exitstatus != pytest.ExitCode.INTERRUPTED:
            page.write(kept.add(self._file, self.rows))


def main() -> int:
    """Run what is asked for; the exit code is pytest's."""
    options, more = _parser().parse_known_args()
    os.environ["FAULT_FULL"] = "1"
    if options.seed:
        os.environ["FAULT_SEED"] = options.seed
    if options.only:
        more = [*map(str, FOLDERS[:1]), "-m", "faults or fault", "--only", options.only, *more]
        report = Writing(options.rows) if options.rows else Report()
        return pytest.main([*PYTEST, *more], plugins=[report])
    if options.rows:
        return pytest.main([*map(str, FOLDERS), *PYTEST, *more], plugins=[Writing(options.rows)])
    with tempfile.TemporaryDirectory() as folder:
        codes = []
        for part in PARTS:
            codes.append(_part([*part, *more], Path(folder) / "rows.json"))
            if codes[-1] == pytest.ExitCode.INTERRUPTED:
                break
        return next(filter(None, codes), 0)  # one that a signal ended is below 0


def _part(arguments: Sequence[str], rows: Path) -> int:
    """Run a part in a process of its own: ours of pytest leaves it in haste."""
    part = subprocess.Popen([sys.executable, "-m", "tests.faults", "--rows", rows, *arguments])
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # it has been interrupted as well, and clears up
            return part.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--only", default="", help="numbers of faults, separated by commas")
    parser.add_argument("--seed", default="", help="repeat the run that printed it")
    parser.add_argument("--rows", type=Path, help="write docs/faults.md of several runs: their rows are in this file")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

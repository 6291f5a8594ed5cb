"""`python -m tests.faults`: make the faults, tell of each, print the table; --write writes docs/faults.md."""

import argparse
import os
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.faults import kept
from tests.faults.report import Report

HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "lifecycle")
QUIET = ("--no-header", "-q", "-rN", "--tb=short")


class Writing(Report):
    """Writes the page as well, when all has run; with a file, together with what earlier runs left there."""

    def __init__(self, only: Collection[int], file: Path | None) -> None:
        super().__init__(only)
        self._file = file

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from tests.faults import page  # noqa: PLC0415 - it imports what pytest wants to import itself

        super().pytest_sessionfinish(session)
        page.write(self.rows if self._file is None else kept.add(self._file, self.rows))


def main() -> int:
    """Run what is asked for; the exit code is pytest's."""
    options, more = _parser().parse_known_args()
    os.environ["FAULT_FULL"] = "1"
    if options.seed:
        os.environ["FAULT_SEED"] = options.seed
    only = [int(number) for number in options.only.replace(",", " ").split()]
    is_written = options.write and (not only or options.rows)
    report = Writing(only, options.rows) if is_written else Report(only)
    folders = FOLDERS[:1] if only else FOLDERS
    marks = ("-m", "faults or fault")
    return pytest.main([*map(str, folders), *marks, *QUIET, *more], plugins=[report])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--only", default="", help="numbers of faults, separated by commas")
    parser.add_argument("--seed", default="", help="repeat the run that printed it")
    parser.add_argument("--write", action="store_true", help="write docs/faults.md, if all are made")
    parser.add_argument("--rows", type=Path, help="put the rows of several runs together in this file, for --write")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

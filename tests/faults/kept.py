"""Rows of several runs in one file: on a slow machine the faults can be made in portions."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.figures import Figures
from tests.faults.report import Row


def load(file: Path) -> dict[str, Row]:
    """Return the last row of each test, by its sentence; nothing where there is no file."""
    if not file.exists():
        return {}
    return {told["sentence"]: _row(told) for told in json.loads(file.read_text())}


def add(file: Path, rows: Iterable[Row]) -> list[Row]:
    """Put rows into the file, in place of older ones of the same tests, and return all."""
    found = load(file) | {row.sentence: row for row in rows if row.numbers}
    file.write_text(json.dumps([asdict(row) for row in found.values()], indent=1))
    return list(found.values())


def _row(told: dict[str, Any]) -> Row:
    figures = told["figures"]
    return Row(**told | {"numbers": tuple(told["numbers"]), "figures": Figures(**figures) if figures else None})

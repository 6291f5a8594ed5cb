"""The table of faults, the tests that make them, and the page say the same."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults import kept, page, report, table
from tests.faults.figures import Figures
from tests.faults.report import Row

IN_EVERY_TEST_RUN = {1, 2, 3, 6, 8, 10, 17, 19, 24, 27, 29, 32}
FIGURES = Figures(0xAB, 1000, 3, 0, 0, 1.25, None)
ROWS = [
    Row((17, 18), "it only delays", "kept", 31.4, FIGURES),
    Row((2,), "a | in it", "**broken**", 3.0, None),
    Row((), "a test of no fault", "kept", 1.0, None),
]


def marked() -> Iterator[tuple[set[int], bool]]:
    """Yield each test's faults, and whether it is left out of `make test`."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"tests.faults.{file.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                marks: list[Any] = [*_listed(module), *_listed(test)]
                numbers = {number for mark in marks if mark.name == "fault" for number in mark.args}
                yield numbers, any(mark.name == "faults" for mark in marks)


def _listed(owner: Any) -> list[Any]:
    found = getattr(owner, "pytestmark", [])
    return found if isinstance(found, list) else [found]


def test_the_faults_are_numbered_from_1_to_46() -> None:
    assert [fault.number for fault in table.FAULTS] == list(range(1, 47))


def test_each_fault_is_made_by_a_test_or_says_why_not() -> None:
    made = {number for numbers, _ in marked() for number in numbers}
    assert {fault.number for fault in table.FAULTS if fault.has_test} == made
    assert [fault.number for fault in table.FAULTS if not fault.has_test and not fault.elsewhere] == []


def test_twelve_faults_are_made_in_every_test_run() -> None:
    assert {number for numbers, is_left_out in marked() for number in numbers if not is_left_out} == IN_EVERY_TEST_RUN


def test_the_page_has_a_row_for_each_test_and_says_what_is_not_shown() -> None:
    text = page.written(ROWS)
    assert "| 17, 18 | it only delays | 1,000 | 3 | 0 | 0 | 1.2 |  | 31 | kept |" in text
    assert "| 2 | a \\| in it |  |  |  |  |  |  | 3 | **broken** |" in text
    assert "a test of no fault" not in text
    assert "| 44 | two versions in one group, in turns | there is no released version before this one |" in text


def test_rows_of_several_runs_are_put_together_by_their_tests(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    kept.add(file, ROWS)
    mended = Row((2,), "a | in it", "kept", 4.0, FIGURES)
    assert kept.add(file, [mended]) == [ROWS[0], mended]
    assert list(kept.load(file).values()) == [ROWS[0], mended]


def test_the_summary_ends_each_row_with_the_sentence() -> None:
    assert [row.rsplit("  ", 1)[1] for row in report.plain(ROWS[:1])] == [report.HEADS[1], "it only delays"]

"""What `make faults` shows while it runs, and the table at its end."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pytest

from tests.faults import table
from tests.faults.figures import Figures

FIGURES, NUMBERS = "figures", "faults"  # properties of a test's report
HEADS = ("fault", "", "records", "redelivered", "duplicates", "lost", "stall, s", "recovery, s", "took, s", "")

Verdict: TypeAlias = Literal["kept", "**broken**", "skipped"]


@dataclass(frozen=True, slots=True)
class Row:
    """How one test ended."""

    numbers: tuple[int, ...]
    sentence: str
    verdict: Verdict
    seconds: float
    figures: Figures | None


class Report:
    """A pytest plugin: tells of each test, and keeps a row of it."""

    def __init__(self) -> None:
        self._terminal: pytest.TerminalReporter | None = None
        self._count = 0
        self._began: dict[str, float] = {}
        self.rows: list[Row] = []

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._terminal = session.config.pluginmanager.get_plugin("terminalreporter")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._count = self._count or len(session.items)

    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Take the count from a process that runs tests: this one collects none then."""
        self._count = len(ids)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """Leave the telling to us: no dots."""
        return (report.outcome if report.when == "call" or report.outcome != "passed" else "", "", "")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._began[nodeid] = time.monotonic()
        self._say(f"  begins          {len(self._began):3} of {self._count}  {sentence(nodeid)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._keep(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Show no failure twice: each was told of when it happened."""
        session.config.option.tbstyle = "no"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table before the interpreter is left, which our conftest does in haste."""
        counted = [row for row in self.rows if row.numbers]
        if counted:
            terminalreporter.write_line("")
            terminalreporter.write_line("\n".join(plain(counted)))

    def _keep(self, report: pytest.TestReport) -> None:
        verdict: Verdict = {"passed": "kept", "skipped": "skipped"}.get(report.outcome, "**broken**")  # type: ignore[assignment]  # the values are verdicts
        told = dict(report.user_properties)
        found = told.get(FIGURES)
        figures = Figures(**found) if isinstance(found, dict) else None
        numbers = told.get(NUMBERS)
        seconds = time.monotonic() - self._began[report.nodeid]
        row = Row(
            tuple(numbers) if isinstance(numbers, list | tuple) else (),
            sentence(report.nodeid),
            verdict,
            seconds,
            figures,
        )
        self.rows.append(row)
        self._say(f"  {verdict.strip('*'):>7} {seconds:5.0f} s  {' '.join(map(str, row.numbers)):>5}  {row.sentence}")
        if report.outcome == "failed":
            self._say(f"{report.longreprtext}\n{report.capstdout}".rstrip())

    def _say(self, text: str) -> None:
        if self._terminal is not None:
            self._terminal.write_line(text)


def sentence(nodeid: str) -> str:
    """Return a test's name as a sentence."""
    return nodeid.rsplit("::", 1)[-1].removeprefix("test_").replace("_", " ")


def cells(rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of the table, by fault."""
    for row in sorted(rows, key=lambda row: row.numbers):
        which = ", ".join(str(number) for number in row.numbers)
        yield (which, row.sentence, *_counted(row.figures), f"{row.seconds:.0f}", row.verdict)


def plain(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the table in columns, the sentences last."""
    table_rows = [HEADS, *cells(rows)]
    ordered = [(row[0], *row[2:], row[1]) for row in table_rows]
    widths = [max(len(row[column]) for row in ordered) for column in range(len(HEADS) - 1)]
    for row in ordered:
        yield "  ".join(
            (*(cell.strip("*").rjust(width) for cell, width in zip(row[:-1], widths, strict=True)), row[-1])
        )


def missing(rows: Iterable[Row]) -> list[table.Fault]:
    """Return the faults of the table that no test made."""
    made = {number for row in rows for number in row.numbers}
    return [fault for fault in table.FAULTS if fault.number not in made]


def _counted(figures: Figures | None) -> tuple[str, ...]:
    if figures is None:
        return ("",) * 6
    recovery = "" if figures.recovery_seconds is None else f"{figures.recovery_seconds:.1f}"
    counts = (figures.records, figures.redelivered, figures.duplicates, figures.lost)
    return (*(f"{count:,}" for count in counts), f"{figures.stall_seconds:.1f}", recovery)

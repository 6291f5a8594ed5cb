"""What a person sees: a table that fills as outcomes arrive on a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

import rich.console
import rich.live
import rich.progress_bar
import rich.table
import rich.text

from bridge.dev import temporal
from bridge.dev.outcomes import Outcome
from bridge.dev.progress import Progress

REFRESH_PER_SECOND = 8
BAR_WIDTH = 10
OUTCOME_WIDTH_MAX = 28  # what failed is told in full at the end

News = Callable[[Progress, Outcome], None]
"""Told of each outcome of a sample."""


class Screen:
    """Where `bridge dev` talks to a person."""

    def __init__(self, console: rich.console.Console, ui_url: str) -> None:
        self._console = console
        self._ui_url = ui_url

    def say(self, *lines: str) -> None:
        """Print lines as they are: no markup, no wrapping, and nothing that would steer a terminal."""
        for line in lines:
            self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def following(self, progresses: Sequence[Progress]) -> Iterator[News]:
        """Show how the samples come along."""
        if not self._console.is_terminal:
            yield self._line
            return
        table = rich.live.Live(
            get_renderable=lambda: self._table(progresses), console=self._console, refresh_per_second=REFRESH_PER_SECOND
        )
        with table:
            yield lambda *_: None  # the next drawing shows it

    def _line(self, progress: Progress, outcome: Outcome) -> None:
        elapsed, count = progress.elapsed(time.monotonic()), f"{progress.arrived}/{progress.total}"
        detail = f"  ({outcome.detail})" if outcome.detail else ""
        self.say(f"{elapsed:6.1f} s  {progress.sample.title:<34} {count:>5}  {outcome.type}{detail}")

    def _table(self, progresses: Sequence[Progress]) -> rich.table.Table:
        now = time.monotonic()
        table = rich.table.Table(box=None, header_style="bold", padding=(0, 1))
        table.add_column("", no_wrap=True)
        table.add_column("sample")  # where the terminal is narrow, this one is cut, and the last
        table.add_column("last outcome", no_wrap=True, max_width=OUTCOME_WIDTH_MAX)
        table.add_column("progress", no_wrap=True)
        table.add_column("elapsed", no_wrap=True, justify="right")
        table.add_column("in the Temporal UI")
        for progress in progresses:
            table.add_row(*_cells(progress, now, self._ui_url))
        return table


def _cells(progress: Progress, now: float, ui_url: str) -> list[rich.console.RenderableType]:
    mark = "[red]✗[/]" if progress.failure else "[green]✓[/]" if progress.is_done else "[yellow]…[/]"
    workflow_id = progress.sample.workflow_id
    return [
        mark,
        _cut_to_fit(progress.sample.title),
        _cut_to_fit(printable(progress.failure or progress.last)),
        rich.progress_bar.ProgressBar(total=progress.total, completed=progress.arrived, width=BAR_WIDTH),
        f"{progress.elapsed(now):.1f} s",
        _cut_to_fit(workflow_id, f"link {workflow_url(ui_url, workflow_id)}"),
    ]


def _cut_to_fit(text: str, style: str = "") -> rich.text.Text:
    return rich.text.Text(text, style, no_wrap=True, overflow="ellipsis")


def workflow_url(ui_url: str, workflow_id: str) -> str:
    """Return where Temporal's UI lists the runs of a workflow id."""
    return f"{ui_url}/namespaces/{temporal.NAMESPACE}/workflows?query=WorkflowId%3D%22{workflow_id}%22"


def printable(text: str) -> str:
    """Return text with all that is no visible character as an escape: outcomes hold what others have sent."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)

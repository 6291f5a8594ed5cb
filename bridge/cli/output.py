"""What commands print: data on stdout as a table or as JSON, one object a line; talk on stderr.

Nothing that comes from outside reaches the terminal raw: control characters are shown as escapes.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import cyclopts

Format = Annotated[Literal["table", "json"], cyclopts.Parameter(name=["--output", "-o"], help="How to print the data.")]

Row = Mapping[str, Any]

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Table:
    """Rows as they come: JSON objects, or lines in columns that are at least as wide as told."""

    def __init__(self, form: Literal["table", "json"], columns: Mapping[str, int]) -> None:
        """Take the columns of the table with their widths; JSON has every field of a row."""
        self._form = form
        self._columns = columns
        self._headed = False

    def add(self, row: Row) -> None:
        """Print a row at once."""
        if self._form == "json":
            write(json_text(row))
            return
        if not self._headed:
            self._headed = True
            write(bold(self._line([name.upper() for name in self._columns])))
        write(self._line([cell(row.get(name)) for name in self._columns]))

    def _line(self, cells: Sequence[str]) -> str:
        widths = self._columns.values()
        return "  ".join(text.ljust(width) for text, width in zip(cells, widths, strict=True)).rstrip()


def show(form: Literal["table", "json"], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows that are all there, in columns as wide as they need; on a terminal they wrap where it is narrower."""
    listed = list(rows)
    if form == "table" and listed and sys.stdout.isatty():
        _show_wrapped(columns, listed)
        return
    widths = {name: max([len(name), *(len(cell(row.get(name))) for row in listed)]) for name in columns}
    table = Table(form, widths)
    for row in listed:
        table.add(row)


def _show_wrapped(columns: Sequence[str], rows: Iterable[Row]) -> None:
    from rich import console, table, text  # noqa: PLC0415 - only a terminal needs it

    shown = table.Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold" if is_colourful() else "")
    for name in columns:
        shown.add_column(name.upper(), overflow="fold")
    for row in rows:
        shown.add_row(*(text.Text(cell(row.get(name))) for name in columns))
    console.Console(file=sys.stdout).print(shown)


def say(text: str) -> None:
    """Tell the person something that is no data."""
    print(escape(text, keep="\n"), file=sys.stderr, flush=True)  # noqa: T201 - this is the command line


def cell(value: Any) -> str:
    """Return a value as one line of text."""
    if value is None:
        return ""
    return escape(value if isinstance(value, str) else json_text(value, ascii_only=False))


def escape(text: str, keep: str = "") -> str:
    """Return `text` with everything that a terminal would not show as a character written as an escape."""
    return "".join(
        character if character.isprintable() or character in keep else ascii(character)[1:-1] for character in text
    )


def json_text(value: Any, *, ascii_only: bool = True) -> str:
    """Return JSON text; decimals as the numbers that they are."""
    if isinstance(value, Mapping):
        members = (f"{json_text(str(k), ascii_only=ascii_only)}: {_inner(v, ascii_only)}" for k, v in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inner(item, ascii_only) for item in value) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=ascii_only)


def _inner(value: Any, ascii_only: bool) -> str:
    return json_text(value, ascii_only=ascii_only)


def bold(text: str) -> str:
    """Return `text` so that a terminal shows it bold; unchanged where nobody looks."""
    return f"{_BOLD}{text}{_PLAIN}" if is_colourful() else text


def is_colourful() -> bool:
    """Return whether stdout is a terminal that wants colours (NO_COLOR, no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write(text: str) -> None:
    """Print a line of data."""
    print(text, flush=True)  # noqa: T201 - this is the command line

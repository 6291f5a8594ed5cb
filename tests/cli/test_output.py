import io
import sys
from typing import Literal

import pytest

from bridge.cli import output

ROWS = [{"check": "smtp", "detail": "127.0.0.1:25: nobody answers there", "advice": "Start the mail server."}]
COLUMNS = ("check", "detail", "advice")
WIDTH = 40


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, form: Literal["table", "json"]) -> list[str]:
    """Return the lines of the rows on a terminal of 40 columns."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        patch.setenv("COLUMNS", str(WIDTH))
        patch.setenv("NO_COLOR", "1")
        output.show(form, COLUMNS, ROWS)
    return terminal.getvalue().splitlines()


def test_a_table_keeps_its_columns_on_a_terminal_that_is_narrower(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, "table")
    assert max(map(len, lines)) <= WIDTH
    advice = lines[0].index("ADVICE")
    assert " ".join(line[advice:].strip() for line in lines[1:]).strip() == "Start the mail server."


def test_a_narrow_terminal_does_not_change_json(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(shown(monkeypatch, "json")) == 1

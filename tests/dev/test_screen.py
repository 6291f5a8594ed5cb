import io
import re
from pathlib import Path

import rich.console

from bridge.dev import announce
from bridge.dev.options import Options
from bridge.dev.outcomes import Outcome
from bridge.dev.progress import Progress
from bridge.dev.samples import sample
from bridge.dev.screen import Screen

TITLE = "one invoice with a name that is long"
SAMPLE = sample.Sample(TITLE, "invoice", "I-1", (), {"invoice.sent": 1, "invoice.recorded": 1})
SENT = Outcome("invoice.events", "invoice.sent", "1", "I-1", "", {"to": "ada@example.com"})


def shown_on(terminal: bool, width: int = 120) -> str:
    output = io.StringIO()
    console = rich.console.Console(file=output, force_terminal=terminal, width=width)
    progress = Progress(SAMPLE, began=0.0)
    with Screen(console, "http://127.0.0.1:8233").following([progress]) as news:
        progress.take(SENT, now=1.0)
        news(progress, SENT)
    return output.getvalue()


def test_without_a_terminal_each_outcome_is_a_plain_line() -> None:
    shown = shown_on(terminal=False)
    assert shown.endswith(" 1/2  invoice.sent  (ada@example.com)\n")
    assert "\x1b" not in shown


def test_on_a_terminal_the_table_links_to_the_temporal_ui() -> None:
    shown = shown_on(terminal=True)
    assert "http://127.0.0.1:8233/namespaces/default/workflows?query=WorkflowId%3D%22invoice-I-1%22" in shown


def test_a_narrow_terminal_cuts_neither_mark_nor_outcome_nor_time() -> None:
    last = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\].*?\x1b\\)", "", shown_on(terminal=True, width=80)).splitlines()[-1]
    assert re.match(r" … .*  invoice\.sent  .*  [0-9]+\.[0-9] s  ", last)
    assert len(last) <= 80


def test_what_others_sent_does_not_steer_the_terminal() -> None:
    output = io.StringIO()
    nasty = Outcome("t", "command.rejected", "1", "\x1b[2Jkey", "", {"reason": "a\nb"})
    Screen(rich.console.Console(file=output), "").say(announce.line_of(nasty))
    assert output.getvalue() == "command.rejected             \\x1b[2Jkey  (a\\nb)\n"


def test_the_invitation_tells_where_the_page_is() -> None:
    options = Options(
        data=Path(), fresh=False, once=False, kafka_port=1, temporal_port=2, ui_port=3, admin_port=8098, smtp_port=5
    )
    assert [line for line in announce.invitation(options) if line.endswith(" http://127.0.0.1:8098/")] != []

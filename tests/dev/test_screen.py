import io

import rich.console

from bridge.dev import announce
from bridge.dev.outcomes import Outcome
from bridge.dev.progress import Progress
from bridge.dev.samples import sample
from bridge.dev.screen import Screen

SAMPLE = sample.Sample("one invoice", "invoice", "I-1", (), {"invoice.sent": 1, "invoice.recorded": 1})
SENT = Outcome("invoice.events", "invoice.sent", "1", "I-1", "", {"to": "ada@example.com"})


def shown_on(terminal: bool) -> str:
    output = io.StringIO()
    console = rich.console.Console(file=output, force_terminal=terminal, width=120)
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


def test_what_others_sent_does_not_steer_the_terminal() -> None:
    output = io.StringIO()
    nasty = Outcome("t", "command.rejected", "1", "\x1b[2Jkey", "", {"reason": "a\nb"})
    Screen(rich.console.Console(file=output), "").say(announce.line_of(nasty))
    assert output.getvalue() == "command.rejected             \\x1b[2Jkey  (a\\nb)\n"

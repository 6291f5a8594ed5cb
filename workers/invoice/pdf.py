"""An invoice on paper."""

from datetime import UTC, datetime, time
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import FontFace, TTFFont

from topics.invoice import InvoiceProcess
from workers.invoice.models import Totals
from workers.invoice.totals import plain
from workers.mail import one_line

FONT = "DejaVu"
"""Bundled, as PDF's own fonts know Latin-1 alone. It has Latin, Greek, Cyrillic, Arabic, Hebrew; no Chinese."""

FONT_FILE = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"

MISSING = "?"
"""What stands where the font has no glyph."""

NAME_CHARACTERS_MAX = 200
DESCRIPTION_CHARACTERS_MAX = 300
NOTE_CHARACTERS_MAX = 2000

_COLUMNS = (("Description", 70, "L"), ("Quantity", 24, "R"), ("Unit price", 28, "R"), ("Tax %", 16, "R"))
_AMOUNT = ("Amount", 40, "R")


class _Page(FPDF):
    def __init__(self) -> None:
        super().__init__(format="A4")
        self.add_font(FONT, fname=FONT_FILE)
        self.set_font(FONT, size=10)
        self.set_auto_page_break(auto=True, margin=20)
        font = self.fonts[FONT.lower()]
        assert isinstance(font, TTFFont)  # noqa: S101 -- for mypy: it was read from a TrueType file
        self.glyphs = frozenset(font.cmap)

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font(FONT, size=8)
        self.cell(0, 6, f"Page {self.page_no()} of {{nb}}", align="C")
        self.set_font(FONT, size=10)

    def written(self, text: str, characters_max: int) -> str:
        """Return `text` as this page can show it: one line, not too long, no glyph that the font lacks."""
        text = one_line(text)
        if len(text) > characters_max:
            text = text[: characters_max - 1] + "…"
        return "".join(character if ord(character) in self.glyphs else MISSING for character in text)

    def line_of_text(self, text: str, size: int = 10) -> None:
        self.set_font(FONT, size=size)
        self.multi_cell(0, size * 0.6, text, new_x="LMARGIN", new_y="NEXT")
        self.set_font(FONT, size=10)


def render(invoice: InvoiceProcess, totals: Totals) -> bytes:
    """Return the invoice as PDF; the same invoice gives the same bytes. Blocks for some 0.1 s."""
    page = _Page()
    page.set_title(f"Invoice {invoice.invoice_id}")
    page.set_creation_date(datetime.combine(invoice.issued_on, time(), UTC))
    page.add_page()
    _head(page, invoice)
    _lines(page, invoice, totals)
    for name, amount in (("Net", totals.net), ("Tax", totals.tax), ("Total", totals.total)):
        size = 14 if name == "Total" else 10
        page.set_font(FONT, size=size)
        page.cell(0, size * 0.7, f"{name}: {plain(amount)} {totals.currency}", align="R", new_x="LMARGIN", new_y="NEXT")
    if invoice.note:
        page.ln(6)
        page.line_of_text(page.written(invoice.note, NOTE_CHARACTERS_MAX))
    return bytes(page.output())


def _head(page: _Page, invoice: InvoiceProcess) -> None:
    page.line_of_text(f"Invoice {invoice.invoice_id}", size=18)
    page.ln(4)
    page.line_of_text(page.written(invoice.customer.name, NAME_CHARACTERS_MAX))
    page.line_of_text(invoice.customer.email)
    page.line_of_text(f"Issued on {invoice.issued_on.isoformat()}")
    page.line_of_text(f"Due on {invoice.due_on.isoformat()}")
    page.ln(6)


def _lines(page: _Page, invoice: InvoiceProcess, totals: Totals) -> None:
    columns = (*_COLUMNS, _AMOUNT)
    page.set_font(FONT, size=9)
    with page.table(
        col_widths=tuple(width for _, width, _ in columns),
        text_align=tuple(align for _, _, align in columns),
        headings_style=FontFace(emphasis=None),
        borders_layout="HORIZONTAL_LINES",
        line_height=5,
    ) as table:
        table.row([name for name, _, _ in columns])
        for line, amounts in zip(invoice.lines, totals.lines, strict=True):
            description = page.written(line.description, DESCRIPTION_CHARACTERS_MAX)
            tax = plain((line.tax_rate * 100).normalize())
            table.row([description, plain(line.quantity), plain(line.unit_price), tax, plain(amounts.gross)])
    page.ln(4)

"""The invoice on paper."""

import io
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from tests.workers import commands
from topics.invoice import InvoiceProcess
from workers.invoice import pdf, totals


def rendered(invoice: InvoiceProcess) -> bytes:
    return pdf.render(invoice, totals.total(invoice, Decimal(10000)))


def pages(**fields: Any) -> list[str]:
    reader = PdfReader(io.BytesIO(rendered(commands.invoice(**fields))))
    return [page.extract_text() for page in reader.pages]


def line(description: str = "Consulting", quantity: str = "1", price: str = "1.50") -> dict[str, str]:
    return {"description": description, "quantity": quantity, "unit_price": price, "tax_rate": "0.07"}


def test_it_tells_who_owes_what_until_when() -> None:
    (page,) = pages(lines=[line(quantity="2.5", price="10.10")], note="Thank you.")
    expected = [
        "Invoice INV-1",
        "Ada Lovelace",
        "ada@example.com",
        "Issued on 2026-11-01",
        "Due on 2026-12-01",
        "Consulting 2.5 10.10 7 27.02",
        "Net: 25.25 EUR",
        "Tax: 1.77 EUR",
        "Total: 27.02 EUR",
        "Thank you.",
    ]
    assert [text for text in expected if text not in page] == []


def test_a_total_without_minor_unit_has_no_point() -> None:
    (page,) = pages(currency="JPY", lines=[line(quantity="1E+3", price="5")])
    assert "Total: 5350 JPY" in page


def test_the_same_invoice_gives_the_same_bytes() -> None:
    assert rendered(commands.invoice()) == rendered(commands.invoice())


@pytest.mark.parametrize("name", ["Žofie Müller", "Владимир Набоков", "Νίκος Καζαντζάκης"])
def test_names_of_many_scripts_are_printed(name: str) -> None:
    (page,) = pages(customer={"name": name, "email": "ada@example.com"})
    assert name in page


def test_a_character_without_glyph_becomes_a_question_mark() -> None:
    (page,) = pages(lines=[line("漢字 and kana 🎉")])
    assert "?? and kana ?" in page


def test_a_hundred_lines_run_over_pages_each_with_its_number() -> None:
    found = pages(lines=[line(f"Item {number:03}") for number in range(1, 101)])
    text = "\n".join(found)
    assert [number for number in range(1, 101) if f"Item {number:03}" not in text] == []
    assert (len(found) > 1, f"Page 1 of {len(found)}" in found[0]) == (True, True)


def test_five_hundred_of_the_longest_lines_are_rendered() -> None:
    longest = line("w" * 5_000, quantity="999999999999999999.123456789", price="999999999999999999.123456789")
    assert len(pages(lines=[longest] * 500)) > 100


def test_long_texts_are_cut_and_say_so() -> None:
    (page,) = pages(lines=[line("word " * 200)])
    assert ("…" in page, page.count("word") <= 60) == (True, True)


def test_control_characters_do_not_break_the_page() -> None:
    (page,) = pages(lines=[line("one\x00two\r\nthree\x1b")])
    assert "one two three" in page

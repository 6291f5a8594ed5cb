"""What invoices come to."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers import commands
from topics.currency import MINOR_DIGITS
from topics.invoice import Line
from workers.invoice import totals
from workers.invoice.models import Totals

LIMIT = Decimal(10000)


def money(maximum: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=0, max_value=Decimal(maximum), places=9, allow_nan=False, allow_infinity=False)


lines = st.builds(
    Line,
    description=st.just("A"),
    quantity=money("999999999999999999").filter(bool),
    unit_price=money("999999999999999999"),
    tax_rate=st.decimals(min_value=0, max_value=1, places=9),
)
digits = st.sampled_from(sorted(set(MINOR_DIGITS.values())))


def line(quantity: str, price: str, rate: str = "0") -> Line:
    return Line.model_validate({"description": "A", "quantity": quantity, "unit_price": price, "tax_rate": rate})


def totals_of(*given: Line, currency: str = "EUR") -> Totals:
    return totals.total(commands.invoice(lines=given, currency=currency), LIMIT)


@pytest.mark.parametrize(
    ("quantity", "price", "rate", "net", "tax", "gross"),
    [
        ("1", "100", "0.19", "100.00", "19.00", "119.00"),
        ("3", "0.335", "0", "1.01", "0.00", "1.01"),
        ("1", "0.005", "0", "0.01", "0.00", "0.01"),  # half goes up
        ("1", "0.0049", "0", "0.00", "0.00", "0.00"),
        ("1", "2.675", "0", "2.68", "0.00", "2.68"),  # 2.67 as a float
        ("1", "0.10", "0.05", "0.10", "0.01", "0.11"),  # 0.105: half up of the product, not net plus rounded tax
    ],
)
def test_a_line_is_rounded_half_up_to_cents(
    quantity: str, price: str, rate: str, net: str, tax: str, gross: str
) -> None:
    found = totals.total_line(line(quantity, price, rate), 2)
    assert (str(found.net), str(found.tax), str(found.gross)) == (net, tax, gross)


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "120"), ("EUR", "119.99"), ("BHD", "119.988"), ("CLF", "119.9881")]
)
def test_each_currency_has_its_own_minor_unit(currency: str, total: str) -> None:
    assert str(totals_of(line("1", "119.98808"), currency=currency).total) == total


def test_lines_are_rounded_before_they_are_added() -> None:
    assert str(totals_of(*[line("1", "0.005")] * 3).total) == "0.03"


@given(lines, digits)
def test_a_line_is_exact_to_half_a_minor_unit(given: Line, minor_digits: int) -> None:
    found = totals.total_line(given, minor_digits)
    exact = Fraction(given.quantity) * Fraction(given.unit_price) * (1 + Fraction(given.tax_rate))
    off = Fraction(found.gross) - exact
    half = Fraction(1, 2 * 10**minor_digits)
    assert -half < off <= half


@given(lines, digits)
def test_net_and_tax_add_up_on_every_line(given: Line, minor_digits: int) -> None:
    found = totals.total_line(given, minor_digits)
    assert (Fraction(found.net) + Fraction(found.tax), found.tax >= 0) == (Fraction(found.gross), True)


@given(st.lists(lines, min_size=1, max_size=20))
def test_the_total_is_the_sum_of_the_lines(given: list[Line]) -> None:
    found = totals_of(*given)
    assert Fraction(found.total) == sum(Fraction(amounts.gross) for amounts in found.lines)
    assert Fraction(found.net) + Fraction(found.tax) == Fraction(found.total)


@given(st.lists(lines, min_size=1, max_size=5))
def test_a_total_has_the_digits_of_its_minor_unit(given: list[Line]) -> None:
    assert totals_of(*given).total.as_tuple().exponent == -2


@pytest.mark.parametrize(("price", "needed"), [("10000", False), ("10000.004", False), ("10000.005", True)])
def test_approval_is_needed_where_the_total_exceeds_the_limit(price: str, needed: bool) -> None:
    assert totals_of(line("1", price)).needs_approval is needed


def test_the_limit_is_told_without_exponent() -> None:
    found = totals.total(commands.invoice(), Decimal("1E+4"))
    assert str(found.approval_over) == "10000"

"""What an invoice comes to. Pure, exact decimals.

The contract rounds half up per line, to the currency's minor unit. Rounded are what a line comes to with tax (the
amount that counts) and without; the tax shown is the difference, so that each printed line adds up.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from topics import currency
from topics.invoice import InvoiceProcess, Line
from workers.invoice.models import LineTotal, Totals

# The longest product is of 27, 27 and 10 digits, and 500 of them are added: nothing is cut before the rounding.
_EXACT = Context(prec=128, rounding=ROUND_HALF_UP)


def total(invoice: InvoiceProcess, approval_over: Decimal) -> Totals:
    """Return what each line and the whole of `invoice` come to; a total over `approval_over` needs a person."""
    digits = currency.MINOR_DIGITS[invoice.currency]
    lines = tuple(total_line(line, digits) for line in invoice.lines)
    return Totals(
        lines=lines,
        net=_sum(line.net for line in lines),
        tax=_sum(line.tax for line in lines),
        total=_sum(line.gross for line in lines),
        currency=invoice.currency,
        approval_over=Decimal(plain(approval_over)),
    )


def total_line(line: Line, minor_digits: int) -> LineTotal:
    """Return what `line` comes to, rounded half up to `minor_digits` after the point."""
    unit = Decimal(1).scaleb(-minor_digits)
    with localcontext(_EXACT):
        price = line.quantity * line.unit_price
        net = price.quantize(unit)
        gross = (price * (1 + line.tax_rate)).quantize(unit)
        return LineTotal(net=net, tax=gross - net, gross=gross)


def plain(number: Decimal) -> str:
    """Return `number` for people: with all its digits, without exponent."""
    return format(number, "f")


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(_EXACT):
        return sum(amounts, start=Decimal(0))

from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from pydantic import Field, TypeAdapter, ValidationError

from topics import fields

NUMBER: TypeAdapter[Decimal] = TypeAdapter(fields.Number)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12.50", Decimal("12.50")),
        (12, Decimal(12)),
        (Decimal("0.1"), Decimal("0.1")),
        ("-1e3", Decimal(-1000)),
        ("9" * 18 + "." + "9" * 9, Decimal("9" * 18 + "." + "9" * 9)),
    ],
)
def test_a_number_is_read_exactly(value: Any, expected: Decimal) -> None:
    assert NUMBER.validate_python(value) == expected


@pytest.mark.parametrize(
    "value",
    [0.1, True, "", " 1", "1_000", "1,5", "NaN", "Infinity", "\u0661", None, "9" * 19, "0." + "1" * 10, "1e999"],
)
def test_what_is_no_exact_number_within_bounds_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        NUMBER.validate_python(value)


@pytest.mark.parametrize("value", ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00.123+01:00"])
def test_a_moment_has_an_offset(value: str) -> None:
    assert TypeAdapter(fields.Moment).validate_python(value).utcoffset() is not None


@pytest.mark.parametrize("value", ["2026-11-21T10:00:00", 1700000000, "1700000000", "yesterday", None])
def test_what_is_no_moment_with_an_offset_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Moment).validate_python(value)


@pytest.mark.parametrize("value", ["20261121", "2026-02-30", "2026-1-1", 20261121, "2026-11-21T00:00:00"])
def test_what_is_no_day_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Day).validate_python(value)


@pytest.mark.parametrize("value", ["ann@example.com", "a.b+c@x-y.example", "root@localhost"])
def test_an_email_address_is_taken(value: str) -> None:
    assert TypeAdapter(fields.Email).validate_python(value) == value


@pytest.mark.parametrize(
    "value", ["ann", "@x", "a@", "a@b\n", "a b@c", "Ann <a@b>", "a@b,c@d", "a@-b", "x" * 250 + "@b.de", 1]
)
def test_what_is_no_email_address_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Email).validate_python(value)


@pytest.mark.parametrize("value", ["eur", "XXX", "", "EURO", "\u20ac", 978])
def test_what_is_no_currency_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Currency).validate_python(value)


@pytest.mark.parametrize("value", ["a", "A-1_b.c:d", "x" * 128])
def test_a_business_id_is_taken(value: str) -> None:
    assert TypeAdapter(fields.BusinessId).validate_python(value) == value


@pytest.mark.parametrize("value", ["", "a b", "a/b", "x" * 129, "a\n", "\u00e4", 1, None])
def test_what_is_no_business_id_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.BusinessId).validate_python(value)


@pytest.mark.parametrize(("value", "sound"), [(1, True), ("1.5", True), (0, False), ("x", False), (True, False)])
def test_the_schema_of_a_positive_number_says_so(value: Any, sound: bool) -> None:
    class Positive(fields.Model):
        amount: fields.Number = Field(gt=0)

    validator = jsonschema.Draft202012Validator(Positive.model_json_schema())
    assert validator.is_valid({"amount": value}) == sound

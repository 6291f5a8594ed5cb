"""Field types that the commands and events share.

What pydantic would convert silently (a float to money, a number to a date) is refused here.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    ValidationError,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticKnownError

from topics import currency

WHOLE_DIGITS_MAX = 18
FRACTION_DIGITS_MAX = 9
PIECE_ITEMS = 1000  # of a list without a bound; its wrong items are told up to the end of the first piece that has some
EMAIL_CHARACTERS_MAX = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets

_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+", re.ASCII)  # pydantic also takes seconds since 1970
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# What <input type=email> accepts: HTML standard, section "Email state". No display name, no line breaks.
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ValueError("give a decimal number, as a JSON number or as text such as '12.50'")


def _day(value: Any) -> Any:
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("give a date as YYYY-MM-DD")


def _moment(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise ValueError("give a time as RFC 3339 text with an offset, such as 2026-11-21T10:00:00Z")


def _email(value: str) -> str:
    if len(value) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(value):
        raise ValueError("not an e-mail address")
    return value


def _currency(value: str) -> str:
    if value not in currency.MINOR_DIGITS:
        raise ValueError("not a currency code of ISO 4217, such as EUR")
    return value


def _number_schema(schema: dict[str, Any]) -> None:
    """Write pydantic's constraints of a decimal as JSON Schema has them; it leaves them as its own words here."""
    for own in ("max_digits", "decimal_places"):
        schema.pop(own, None)
    bounds = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
    for option in schema.get("anyOf", ()):
        if option.get("type") == "number":
            option |= {word: int(schema[own]) for own, word in bounds.items() if own in schema}  # all ours are whole
        if option.get("type") == "string":
            option["pattern"] = f"^{_DECIMAL.pattern}$"
    for own in bounds:
        schema.pop(own, None)


def at_most(count: int) -> BeforeValidator:
    """Return what refuses a longer list unread: pydantic looks at every item first, and counts the sound ones alone."""

    def refuse(value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > count:
            told = {"field_type": "List", "max_length": count, "actual_length": len(value)}
            raise PydanticKnownError("too_long", told)
        return value

    return BeforeValidator(refuse)


def _in_pieces(value: Any, check: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Check a list piece by piece, up to the first that has wrong items: to tell of 300,000 would take many seconds."""
    if not isinstance(value, list | tuple) or len(value) <= PIECE_ITEMS:
        return check(value)
    sound: list[Any] = []
    for begin in range(0, len(value), PIECE_ITEMS):
        try:
            sound += check(value[begin : begin + PIECE_ITEMS])
        except ValidationError as error:
            problems = [
                InitErrorDetails(
                    type=told["type"],
                    loc=(begin + int(told["loc"][0]), *told["loc"][1:]),
                    input=told["input"],
                    ctx=told.get("ctx", {}),
                )
                for told in error.errors(include_url=False)
            ]
            raise ValidationError.from_exception_data(error.title, problems) from error
    return tuple(sound)


InPieces = WrapValidator(_in_pieces)
"""For a list without a bound."""

Number = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(
        max_digits=WHOLE_DIGITS_MAX + FRACTION_DIGITS_MAX,
        decimal_places=FRACTION_DIGITS_MAX,
        json_schema_extra=_number_schema,
    ),
]
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Email = Annotated[
    StrictStr,
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email", "maxLength": EMAIL_CHARACTERS_MAX}),
]
Currency = Annotated[StrictStr, AfterValidator(_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})]
Text = Annotated[StrictStr, Field(min_length=1)]
BusinessId = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]


class Model(BaseModel):
    """Base of every command and event: frozen; unknown fields are ignored, as the contract says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def json_bytes(self) -> bytes:
        """Return the model as JSON text: compact, in UTF-8, the fields in their order."""
        return self.__pydantic_serializer__.to_json(self)

"""Payloads keep every digit."""

import json
from decimal import Decimal
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from tests.workers import commands
from topics.envelope import Command
from topics.invoice import InvoiceProcess
from workers.converter import ExactPayloadConverter

EXACT = "123456789012345678.123456789"


def payload(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


def read(text: str, hint: Any = None) -> Any:
    return ExactPayloadConverter().from_payload(payload(text), hint)


def test_a_number_of_27_digits_arrives_with_all_of_them() -> None:
    assert read(f'{{"price": {EXACT}}}')["price"] == Decimal(EXACT)


def test_a_command_s_money_arrives_with_all_of_its_digits() -> None:
    event = json.loads(commands.command("invoice.process", commands.invoice()).model_dump_json())
    event["data"]["lines"][0]["unit_price"] = 0
    text = json.dumps(event).replace('"unit_price": 0', f'"unit_price": {EXACT}')
    command = read(text, Command[InvoiceProcess])
    assert command.data.lines[0].unit_price == Decimal(EXACT)


def test_a_decimal_goes_out_as_a_string() -> None:
    (encoded,) = ExactPayloadConverter().to_payloads([{"total": Decimal("119.00")}])
    assert json.loads(encoded.data) == {"total": "119.00"}


def test_what_goes_out_comes_back() -> None:
    command = commands.command("invoice.process", commands.invoice(price=EXACT))
    (encoded,) = ExactPayloadConverter().to_payloads([command])
    assert ExactPayloadConverter().from_payload(encoded, Command[InvoiceProcess]) == command


def test_none_goes_out_as_temporal_s_null() -> None:
    (encoded,) = ExactPayloadConverter().to_payloads([None])
    assert (encoded.metadata["encoding"], encoded.data) == (b"binary/null", b"")


@pytest.mark.parametrize("text", ["", "{", "NaN", "[1] 2"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read(text)

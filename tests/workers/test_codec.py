"""Workers encrypt all that they give Temporal, and read what came before there were keys."""

import base64

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from topics.environment.sections import BridgeSection
from topics.sealing import SealedError
from workers import converter
from workers.sdk import codec

KEYS = f"one:{base64.b64encode(b'1' * 32).decode()}"
OTHERS = f"two:{base64.b64encode(b'2' * 32).decode()}"


async def test_a_value_comes_back_and_cannot_be_read_on_its_way() -> None:
    sealing = codec.sealed(converter.data_converter, KEYS)

    (payload,) = await sealing.encode([{"name": "Ada"}])

    assert dict(payload.metadata) == {"encoding": b"binary/encrypted", "encryption-key-id": b"one"}
    assert b"Ada" not in payload.data
    assert await sealing.decode([payload]) == [{"name": "Ada"}]


async def test_a_payload_from_before_there_were_keys_is_read() -> None:
    payloads = await converter.data_converter.encode(["Ada"])
    assert await codec.sealed(converter.data_converter, KEYS).decode(payloads) == ["Ada"]


async def test_a_payload_with_a_key_that_is_not_known_is_no_value() -> None:
    payloads = await codec.sealed(converter.data_converter, OTHERS).encode(["Ada"])
    with pytest.raises(SealedError, match="the key 'two', which BRIDGE_PAYLOAD_KEYS does not have"):
        await codec.sealed(converter.data_converter, KEYS).decode(payloads)


async def test_what_a_failure_says_is_encrypted_and_its_type_is_not() -> None:
    sealing, failure = codec.sealed(converter.data_converter, KEYS), Failure()

    await sealing.encode_failure(ApplicationError("Ada's card", type="CardRefused"), failure)

    assert (failure.message, failure.stack_trace) == ("Encoded failure", "")
    assert failure.application_failure_info.type == "CardRefused"
    assert b"Ada" not in failure.SerializeToString()
    assert str(await sealing.decode_failure(failure)) == "CardRefused: Ada's card"


@pytest.mark.parametrize("keys", [None, KEYS])
def test_the_workers_encrypt_where_there_are_keys(keys: str | None) -> None:
    made = converter.made(BridgeSection.model_validate({"payload_keys": keys}))
    assert (made.payload_codec is not None) == (keys is not None)
    assert made.payload_converter_class is converter.ExactPayloadConverter

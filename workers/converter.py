"""Payloads as JSON and pydantic models, numbers exact.

pydantic's own JSON parser reads 123456789012345678.123456789 through a float; money must not lose a digit on its way
from the command to the workflow, so the text is parsed with decimals first.
"""

import functools
from typing import Any

import jiter
from pydantic import TypeAdapter
from pydantic_core import to_json
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)

from topics.environment import reader
from topics.environment.sections import BridgeSection
from workers.sdk import codec

TYPE_ADAPTERS_MAX = 1024


@functools.lru_cache(maxsize=TYPE_ADAPTERS_MAX)
def _adapter(type_hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_hint)


class ExactJsonConverter(EncodingPayloadConverter):
    """json/plain, as other SDKs write and read it; decimals become strings, numbers with a point become decimals."""

    @property
    def encoding(self) -> str:
        """See base class."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:
        """See base class."""
        return Payload(metadata={"encoding": self.encoding.encode()}, data=to_json(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """See base class."""
        value = jiter.from_json(payload.data, allow_inf_nan=False, float_mode="decimal")
        return _adapter(Any if type_hint is None else type_hint).validate_python(value)


class ExactPayloadConverter(CompositePayloadConverter):
    """The SDK's payload converter with exact JSON."""

    def __init__(self) -> None:
        """Take the SDK's own converters, but for JSON."""
        super().__init__(
            *(
                ExactJsonConverter() if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


data_converter = DataConverter(payload_converter_class=ExactPayloadConverter)
"""What every client and worker of ours takes, where there are no keys."""


def made(section: BridgeSection) -> DataConverter:
    """Return what every client and worker of ours takes: with keys it encrypts."""
    if section.payload_keys is None:
        return data_converter
    keys = section.payload_keys.get_secret_value()
    return codec.sealed(data_converter, keys, lambda: reader.current(section, "payload_keys"))

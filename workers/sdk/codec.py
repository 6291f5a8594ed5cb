"""Payloads that nobody reads in Temporal without a key, as the bridge's BRIDGE_PAYLOAD_KEYS say.

To be imported where `cryptography` is installed; nothing else of `workers.sdk` needs it. Workers in other languages
take the codec of Temporal's samples: `binary/encrypted`, AES-256-GCM, the key's id in `encryption-key-id`.
"""

import dataclasses
from collections.abc import Callable, Sequence

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from topics.sealing import ENCODING, KEY_ID, Keyring


class SealedPayloads(PayloadCodec):
    """Encrypts every payload, and decrypts those that are encrypted: others may come from before there were keys."""

    def __init__(self, keyring: Keyring) -> None:
        """Take the keys."""
        self._keyring = keyring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt payloads."""
        return [self._sealed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt payloads; raises `SealedError`, upon which Temporal has the task tried again."""
        return [self._opened(payload) for payload in payloads]

    def _sealed(self, payload: Payload) -> Payload:
        key_id, data = self._keyring.seal(payload.SerializeToString())
        return Payload(metadata={"encoding": ENCODING, KEY_ID: key_id}, data=data)

    def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(self._keyring.open(payload.metadata[KEY_ID], payload.data))


def sealed(converter: DataConverter, keys: str, reread: Callable[[], str | None] = lambda: None) -> DataConverter:
    """Return a converter that encrypts what `converter` makes, messages and stack traces of failures included.

    `keys` are as BRIDGE_PAYLOAD_KEYS has them; `reread` returns them as they are by now, or None. Raises `ValueError`.
    """
    return dataclasses.replace(
        converter,
        payload_codec=SealedPayloads(Keyring(keys, reread)),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )

"""Payloads that nobody reads in Temporal without a key: the codec of BRIDGE_PAYLOAD_KEYS on the daemon's side."""

from collections.abc import Sequence

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter, PayloadCodec

from topics.environment import reader
from topics.environment.sections import BridgeSection
from topics.sealing import ENCODING, KEY_ID, Keyring, SealedError

_JSON = {"encoding": b"json/plain"}


class Sealing(PayloadCodec):
    """Seals payloads and opens them; rides on the client, as the codecs of others do."""

    def __init__(self, keyring: Keyring) -> None:
        """Take the keys."""
        self._keyring = keyring

    def fill(self, payload: Payload, text: bytes) -> None:
        """Put JSON text into a payload, sealed."""
        self._seal(payload, Payload(metadata=_JSON, data=text))

    def opened(self, payload: Payload) -> Payload | None:
        """Return what was sealed, or a payload that is not sealed as it is; None where it cannot be opened."""
        if payload.metadata.get("encoding") != ENCODING:  # by `[]` protobuf would write what is not there
            return payload
        try:
            return Payload.FromString(self._keyring.open(payload.metadata.get(KEY_ID, b""), payload.data))
        except (SealedError, DecodeError):  # the second where other people's codec has sealed the data alone
            return None

    def sealed(self, payload: Payload) -> Payload:
        """Return a payload, sealed."""
        sealed = Payload()
        self._seal(sealed, payload)
        return sealed

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal payloads."""
        return [self.sealed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open payloads; one that cannot be opened stays as it is."""
        return [self.opened(payload) or payload for payload in payloads]

    def _seal(self, into: Payload, payload: Payload) -> None:
        into.metadata[KEY_ID], into.data = self._keyring.seal(payload.SerializeToString())
        into.metadata["encoding"] = ENCODING


def made(section: BridgeSection) -> Sealing | None:
    """Return the codec of the settings; None where they have no keys."""
    if section.payload_keys is None:
        return None
    keys = section.payload_keys.get_secret_value()
    return Sealing(Keyring(keys, lambda: reader.current(section, "payload_keys")))


def converter(section: BridgeSection) -> DataConverter:
    """Return what the daemon's client takes."""
    return DataConverter(payload_codec=made(section))


def of(client: Client) -> Sealing | None:
    """Return the codec that a client has, if it has ours."""
    codec = client.data_converter.payload_codec
    return codec if isinstance(codec, Sealing) else None


def text_of(payload: Payload, sealing: Sealing | None) -> bytes:
    """Return a payload's text; of one that is sealed, and cannot be opened, what is nobody's text."""
    found = sealing.opened(payload) if sealing is not None else payload
    return (found or payload).data

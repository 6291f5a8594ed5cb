"""Keys of the payload codec, and AES-256-GCM with them, in the format of Temporal's samples for all languages.

A sealed payload has the metadata `encoding` = `binary/encrypted` and `encryption-key-id`; its data are a nonce of 12
bytes, then the whole payload, encrypted, with its tag. `cryptography` is needed once there are keys, and not before.
"""

import base64
import binascii
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
KEY_BYTES = 32
NONCE_BYTES = 12
LOOK_EVERY = timedelta(seconds=5)
"""How often a file of keys is looked at; at once where a payload names a key that is not known, if that is 1 s ago."""
LOOK_AT_LEAST = timedelta(seconds=1)

_KEY = re.compile(r"([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/_-]+={0,2})")
_EXPECTED = "give ID:KEY, separated by commas or lines, KEY as base64 of 32 bytes (openssl rand -base64 32)"

log = logging.getLogger(__name__)


class SealedError(Exception):
    """A payload cannot be opened: its key is not known here, or it is not what that key has sealed."""


def parse(text: str) -> Mapping[str, bytes]:
    """Return the keys by id, in their order; raises `ValueError`, which tells no part of a key."""
    found: dict[str, bytes] = {}
    for number, word in enumerate(re.split(r"[\s,]+", text.strip()), start=1):
        match = _KEY.fullmatch(word)
        key = _decoded(match[2]) if match is not None else b""
        if match is None or len(key) != KEY_BYTES:
            raise ValueError(f"key {number}: {_EXPECTED}")
        if match[1] in found:
            raise ValueError(f"key {number}: the id {match[1]} is there twice: give each key an id of its own")
        found[match[1]] = key
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if re.search("[-_]", text) else None)
    except binascii.Error:
        return b""


class Keyring:
    """Seals with the first key, and opens with any; `reread` returns the keys as their file has them by now, if it can.

    So keys are replaced without a restart. What cannot be used leaves the keys as they were.
    """

    def __init__(self, text: str, reread: Callable[[], str | None] = lambda: None) -> None:
        """Take the keys as `parse` reads them; raises `ValueError`."""
        self._reread = reread
        self._text = text
        self._looked_at = time.monotonic()
        self._use(text)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys; the first is the one that seals."""
        return tuple(self._ciphers)

    def seal(self, plain: bytes) -> tuple[bytes, bytes]:
        """Return the id of the key, as metadata have it, and the sealed data."""
        self._look(LOOK_EVERY)
        key_id, cipher = self._newest
        nonce = os.urandom(NONCE_BYTES)
        return key_id, nonce + cipher.encrypt(nonce, plain, None)

    def open(self, key_id: bytes, sealed: bytes) -> bytes:
        """Return what was sealed; raises `SealedError`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see the module's docstring

        name = key_id.decode(errors="replace")
        if name not in self._ciphers:
            self._look(LOOK_AT_LEAST)
        if (cipher := self._ciphers.get(name)) is None:
            raise SealedError(f"A payload was sealed with the key {name!r}, which BRIDGE_PAYLOAD_KEYS does not have.")
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise SealedError(f"A payload is not what the key {name!r} has sealed.") from error

    def _look(self, every: timedelta) -> None:
        now = time.monotonic()
        if now - self._looked_at < every.total_seconds():
            return
        self._looked_at = now
        text = self._reread()
        if text is None or text == self._text:
            return
        try:
            self._use(text)
        except ValueError as error:
            self._text = text  # told once
            log.warning("The new BRIDGE_PAYLOAD_KEYS cannot be used, the old ones stay: %s", error)
        else:
            log.info("BRIDGE_PAYLOAD_KEYS has new keys: the first of %s encrypts.", ", ".join(self.key_ids))

    def _use(self, text: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - see the module's docstring

        self._ciphers: Mapping[str, AESGCM] = {name: AESGCM(key) for name, key in parse(text).items()}
        first = next(iter(self._ciphers))
        # In one step: another thread never has the id of one key, and the cipher of another.
        self._newest = (first.encode(), self._ciphers[first])
        self._text = text

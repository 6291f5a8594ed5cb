"""The callback that a start carries: where the server calls when the run has ended, and what tells us whose it is.

The server sends the header back as it got it. It is signed, so that nobody else can make us look.
"""

import base64
import binascii
import hmac
from typing import NamedTuple

HEADER = "bridge-callback"
PATH = "/callbacks"


class Origin(NamedTuple):
    """Which start a callback was given to."""

    namespace: str
    request_id: str
    workflow_id: str


class Signer:
    """Makes and checks what a group's callbacks carry."""

    __slots__ = ("_keyed", "path", "url")

    def __init__(self, base_url: str, secret: str, group: str) -> None:
        self.path = f"{PATH}/{group}"
        self.url = base_url + self.path
        self._keyed = hmac.new(secret.encode(), self.path.encode() + b"\n", "sha256")  # to copy it is cheaper

    def token(self, namespace: str, request_id: str, workflow_id: str) -> str:
        """Return the header's value: ids, a dot, and their signature."""
        # A namespace and a request id hold no line break, so that what is left is the workflow id, whatever it holds.
        ids = binascii.b2a_base64(f"{namespace}\n{request_id}\n{workflow_id}".encode(), newline=False)
        return f"{ids.decode()}.{self._signature(ids)}"

    def read(self, token: str) -> Origin | None:
        """Return what a header's value tells, or None where it was not made with our secret."""
        ids, _, signature = token.encode("latin-1", "replace").partition(b".")
        if not hmac.compare_digest(signature, self._signature(ids).encode()):
            return None
        return Origin(*base64.b64decode(ids).decode().split("\n", 2))

    def _signature(self, ids: bytes) -> str:
        keyed = self._keyed.copy()
        keyed.update(ids)
        return keyed.hexdigest()

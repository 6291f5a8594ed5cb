"""Who may ask for what: health and metrics are for everybody, the rest is for who has the token, or is on this machine.

Where there is no token a browser must not be led to act for its user: a page of others can name neither this machine's
own address as its host (DNS rebinding) nor send without telling where it is from.
"""

import hmac
import ipaddress
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
PAGE = frozenset({"/", "/page.css", "/page.js", "/page.svg"})
"""The page holds no data; what it shows it asks of `/v1`, as everybody does."""

OPEN_PATHS = PROBES | PAGE
BODY_BYTES_MAX = 64 * 1024
CODEC_PREFIX = "/v1/codec/"
CODEC_BODY_BYTES_MAX = 4 * 1024 * 1024  # Temporal takes payloads up to 2 MiB; as base64 they grow by a third
ASKED_MAX = 20  # the server refuses everything, probes too, beyond 100
TOKEN_VARIABLE = "BRIDGE_ADMIN_TOKEN"  # noqa: S105 - its name, not a token

_LOOPBACK_NAME = "localhost"
_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Door:
    """Who may pass; `token` is None where none is set, `address` is what is listened on."""

    address: str
    token: str | None

    def refusal(self, headers: Headers) -> JSONResponse | None:
        """Return why a request with these headers is refused, None where it may pass."""
        if self.token is not None:
            if _is_token(headers.get("authorization", ""), self.token):
                return None
            refused = problem(HTTPStatus.UNAUTHORIZED, f"Send the header Authorization: Bearer, with {TOKEN_VARIABLE}.")
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        if not is_loopback(host_of(self.address)):
            return problem(
                HTTPStatus.FORBIDDEN,
                f"{self.address} can be reached from other machines: set {TOKEN_VARIABLE} to allow this.",
            )
        host = headers.get("host", "")
        if not is_loopback(host_of(host)) or headers.get("origin", f"http://{host}") != f"http://{host}":
            return problem(HTTPStatus.FORBIDDEN, "A page of another site may not ask this.")
        return None


@dataclass(slots=True)
class Guard:
    """Lets a request pass, or refuses it; at most 20 at once, so that probes always find room."""

    application: ASGIApp
    door: Door
    asked: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.application(scope, receive, send)
            return
        refusal = self.door.refusal(Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        bytes_max = CODEC_BODY_BYTES_MAX if scope["path"].startswith(CODEC_PREFIX) else BODY_BYTES_MAX
        body = await _body(receive, bytes_max)
        if body is None:
            refusal = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {bytes_max} bytes.")
            await refusal(scope, receive, send)
            return
        if self.asked >= ASKED_MAX:
            await problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too much is asked at once: try again.")(scope, receive, send)
            return
        self.asked += 1
        try:
            await self.application(scope, _Replayed(body, receive).receive, send)
        finally:
            self.asked -= 1


def host_of(address: str) -> str:
    """Return the host of HOST or HOST:PORT."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.rpartition(":")[0] if address.count(":") == 1 else address


def is_loopback(host: str) -> bool:
    """Return whether only this machine can be meant."""
    if host.lower() == _LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def problem(status: HTTPStatus, text: str) -> JSONResponse:
    """Return an answer that says what is wrong and what to do."""
    return JSONResponse({"problem": text}, status_code=status)


def _is_token(header: str, token: str) -> bool:
    given = header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else ""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode(errors="surrogateescape"))


async def _body(receive: Receive, bytes_max: int) -> bytes | None:
    """Return a request's body; None where it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > bytes_max:
            return None
        if not message.get("more_body", False):
            return bytes(body)


class _Replayed:
    """Hands over a body that was read, and then what else comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def receive(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

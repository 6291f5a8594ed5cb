"""The codec endpoint for Temporal's UI and command line: payloads in clear for who may ask, by Temporal's protocol.

`POST /v1/codec/decode` and `/v1/codec/encode` take and give `{"payloads": [...]}`, as protobuf writes it in JSON. A
browser asks from the UI's page: the origins of BRIDGE_CODEC_ORIGINS may, where the guard lets them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf import json_format
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.api.common.v1 import Payload, Payloads

from bridge.admin.guard import CODEC_PREFIX
from bridge.admin.operation import Operation
from bridge.errors import ConfigurationError
from bridge.sealing import Sealing

JSON = "application/json"

_HEADERS = ("authorization", "content-type", "x-namespace")
PARTS_MAX = 10_000
"""Of a request, by its commas: of 4 MiB a million payloads could be made, which take half a minute."""

_BODY = {"payloads": "Temporal's payloads, as protobuf writes them in JSON."}

Code = Callable[[Payload], Payload]


@dataclass(frozen=True, slots=True)
class Codec:
    """The handlers."""

    sealing: Sealing

    def operations(self) -> list[Operation]:
        """Return the rows of the API."""
        return [
            Operation("POST", f"{CODEC_PREFIX}decode", "Decrypt payloads of Temporal", self.decode, body=_BODY),
            Operation("POST", f"{CODEC_PREFIX}encode", "Encrypt payloads for Temporal", self.encode, body=_BODY),
        ]

    async def decode(self, request: Request) -> Response:
        """Return payloads in clear; what cannot be opened stays as it is."""
        return await _coded(request, lambda payload: self.sealing.opened(payload) or payload)

    async def encode(self, request: Request) -> Response:
        """Return payloads as a worker would have written them."""
        return await _coded(request, self.sealing.sealed)


@dataclass(frozen=True, slots=True)
class Window:
    """Lets pages of some origins ask the codec; everything else goes to `application` as it came."""

    application: ASGIApp
    origins: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(CODEC_PREFIX):
            await self.application(scope, receive, send)
            return
        shared = CORSMiddleware(self._let_in, self.origins, allow_methods=("POST",), allow_headers=_HEADERS)
        await shared(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request, without the origin if that is allowed: the guard refuses pages of all others."""
        if Headers(scope=scope).get("origin") in self.origins:
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"origin"]}
        await self.application(scope, receive, send)


async def _coded(request: Request, code: Code) -> Response:
    body = await request.body()
    if body.count(b",") > PARTS_MAX:
        raise ConfigurationError(f"The body has more than {PARTS_MAX} parts: ask for fewer payloads at once.")
    # In a thread: commands must not wait for it.
    text = await asyncio.to_thread(_text, body, code)
    return Response(text, media_type=JSON, headers={"Cache-Control": "no-store"})


def _text(body: bytes, code: Code) -> str:
    try:
        asked = json_format.Parse(body, Payloads(), ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise ConfigurationError('The body must be JSON such as {"payloads": []}, as Temporal writes it.') from error
    answer: str = json_format.MessageToJson(Payloads(payloads=map(code, asked.payloads)))
    return answer

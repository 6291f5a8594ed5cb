"""What answers at the callback address: 200 or 503, nothing else. Every other code can be final for the server.

What the caller says is believed in one point only: that it is worth to look at a run of ours.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import unquote

from aiokafka.errors import KafkaError
from starlette.types import Receive, Scope, Send

from bridge.callback import HEADER, Origin, Signer
from bridge.errors import UnavailableError
from bridge.feed.callbacks.refusals import Reason, Refusals, RefusedError
from bridge.telemetry import logs
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log, Metric

BODY_BYTES_MAX = 4 * 1024 * 1024  # a result has up to 2 MB, and grows as JSON; it is read and dropped
BODY_WITHIN = timedelta(seconds=5)
ANSWER_WITHIN = timedelta(seconds=8)  # the server gives up after 10 s

_LINK = re.compile(rb"temporal:///namespaces/[^/>]+/workflows/[^/>]+/([^/>]+)/history")

Look = Callable[[Origin, str], Awaitable[str]]

log = logs.get(__name__)


class Application:
    """The ASGI application. `look` says what became of an end, once that is safe; it may raise `UnavailableError`."""

    def __init__(self, signer: Signer, look: Look, refusals: Refusals, metrics: Metrics) -> None:
        self._signer = signer
        self._look = look
        self._refusals = refusals
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            outcome = await self._handle(scope, receive)
        except RefusedError as error:
            self._refusals.note(error.reason, error.detail)
            await _answer(send, 503)
        except Exception:  # a defect of ours: the sweep tells the end
            log.exception(Log.CALLBACK_CRASHED)
            self._refusals.note(Reason.CRASHED)
            await _answer(send, 503)
        else:
            self._metrics.count(Metric.CALLBACKS, outcome)
            await _answer(send, 200)

    async def _handle(self, scope: Scope, receive: Receive) -> str:
        origin, run_id = self._origin(scope)
        try:
            async with asyncio.timeout(BODY_WITHIN.total_seconds()):
                await _drop_body(receive)
        except TimeoutError as error:
            raise RefusedError(Reason.SLOW) from error
        try:
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                return await self._look(origin, run_id)
        except (UnavailableError, KafkaError, TimeoutError) as error:
            raise RefusedError(Reason.UNAVAILABLE, f"{type(error).__name__}: {error}") from error

    def _origin(self, scope: Scope) -> tuple[Origin, str]:
        """Return whose callback it is, and the run that has ended, empty where that is not told."""
        if scope["type"] != "http" or scope["method"] != "POST":
            raise RefusedError(Reason.METHOD)
        if scope["path"] != self._signer.path:
            raise RefusedError(Reason.PATH)
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        tokens = [value for name, value in headers if name == HEADER.encode()]
        origin = self._signer.read(tokens[0].decode("latin-1")) if len(tokens) == 1 else None
        if origin is None:
            raise RefusedError(Reason.FORGED)
        links = (_LINK.search(value) for name, value in headers if name == b"nexus-link")
        return origin, next((unquote(link[1].decode("latin-1")) for link in links if link), "")


async def _drop_body(receive: Receive) -> None:
    read = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(Reason.TRUNCATED)
        read += len(message.get("body", b""))
        if read > BODY_BYTES_MAX:
            raise RefusedError(Reason.OVERSIZED)
        if not message.get("more_body", False):
            return


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0")]
    if status != 200:
        headers.append((b"connection", b"close"))  # what was not read is not worth reading
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

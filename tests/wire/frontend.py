"""A door before Temporal's development server, which speaks no TLS itself: gRPC with certificates and an API key."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc  # type: ignore[import-untyped]  # it ships no types

from tests.servers import ports
from tests.wire.authority import Authority
from tests.wire.terminator import Terminator

Result = TypeVar("Result")

CALL_SECONDS = 20.0
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
HOP_HEADERS = ("user-agent", "grpc-timeout", "te", "content-type", "grpc-accept-encoding", "grpc-encoding")


class Frontend(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Demands a client's certificate of a CA, and `Bearer KEY` where a key is set; hands all else on.

    TLS does not end in gRPC's own server, which closes without a word where Temporal's tells what it misses.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="frontend", daemon=True)
        self._inner = f"{ports.HOST}:{ports.free()}"
        self._terminator = Terminator(f"{ports.HOST}:{ports.free()}", self._inner)
        self.api_key = ""

    @property
    def address(self) -> str:
        """Where it listens."""
        return self._terminator.address

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._serve())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()

    def open(self, trusted: Authority, api_key: str = "") -> None:
        """Listen, with a certificate of `trusted`."""
        self.api_key = api_key
        shown = trusted.server("temporal")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=trusted.certificate)
        context.load_cert_chain(shown.certificate, shown.key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        self._call(self._terminator.open(context))

    def close(self) -> None:
        """End every connection, and listen no more."""
        self._call(self._terminator.close())

    def service(self, details: Any) -> Any:
        """Return what handles a method: its messages pass as they are."""
        return grpc.unary_unary_rpc_method_handler(self._handler(details.method))

    async def _serve(self) -> None:
        sizes = [("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]
        self._channel = grpc.aio.insecure_channel(self._target, options=sizes)
        self._server = grpc.aio.server(options=sizes)
        self._server.add_generic_rpc_handlers((self,))
        assert self._server.add_insecure_port(self._inner) > 0
        await self._server.start()

    async def _stop(self) -> None:
        await self._server.stop(None)
        await self._channel.close()

    def _handler(self, method: str) -> Callable[[bytes, Any], Awaitable[bytes]]:
        async def handle(request: bytes, context: Any) -> bytes:
            headers = [(name, value) for name, value in context.invocation_metadata() if name not in HOP_HEADERS]
            if self.api_key and ("authorization", f"Bearer {self.api_key}") not in headers:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the API key is not valid")
            call = self._channel.unary_unary(method)
            try:
                answer: bytes = await call(request, metadata=headers, timeout=context.time_remaining())
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details(), tuple(error.trailing_metadata()))
                raise
            return answer

        return handle

    def _call(self, what: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(CALL_SECONDS)

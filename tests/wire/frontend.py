"""A door before Temporal's development server, which speaks no TLS itself: gRPC with certificates and an API key."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from tests.servers import ports
from tests.wire.authority import Authority

Result = TypeVar("Result")

CALL_SECONDS = 20.0
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
HOP_HEADERS = ("user-agent", "grpc-timeout", "te", "content-type", "grpc-accept-encoding", "grpc-encoding")


class Frontend(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Demands a client's certificate of `trusted`, and `Bearer KEY` where a key is set; hands all else on."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="frontend", daemon=True)
        self._server: Any = None
        self.address = f"{ports.HOST}:{ports.free()}"
        self.api_key = ""
        self.refused = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._call(self._channel.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)

    def open(self, trusted: Authority, api_key: str = "") -> None:
        """Listen, with a certificate of `trusted`."""
        self.api_key = api_key
        self._call(self._open(trusted))

    def close(self) -> None:
        """End every connection, and listen no more."""
        if self._server is not None:
            self._call(self._server.stop(None))
            self._server = None

    def service(self, details: Any) -> Any:
        """Return what handles a method: its messages pass as they are."""
        return grpc.unary_unary_rpc_method_handler(self._handler(details.method))

    async def _open(self, trusted: Authority) -> None:
        if not hasattr(self, "_channel"):
            sizes = [("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]
            self._channel = grpc.aio.insecure_channel(self._target, options=sizes)
        shown = trusted.server("temporal")
        credentials = grpc.ssl_server_credentials(
            [(shown.key_pem, shown.certificate_pem)],
            root_certificates=Path(trusted.certificate).read_bytes(),
            require_client_auth=True,
        )
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]
        self._server = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers((self,))
        assert self._server.add_secure_port(self.address, credentials) > 0
        await self._server.start()

    def _handler(self, method: str) -> Callable[[bytes, Any], Awaitable[bytes]]:
        async def handle(request: bytes, context: Any) -> bytes:
            headers = [(name, value) for name, value in context.invocation_metadata() if name not in HOP_HEADERS]
            if self.api_key and ("authorization", f"Bearer {self.api_key}") not in headers:
                self.refused += 1
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

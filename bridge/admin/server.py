"""The HTTP server of the admin address."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from bridge.errors import ConfigurationError

STOP_TIMEOUT_S = 2
CONNECTIONS_MAX = 100
TICK_S = 1


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone, and an idle process asleep."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Keep the time that answers tell, until `stop`; the library's own loop wakes ten times as often."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Let the requests under way end, and take no other."""
        self.should_exit = True
        self._stopping.set()


@contextlib.asynccontextmanager
async def serve(application: ASGIApp, address: str, variable: str, **options: Any) -> AsyncIterator[None]:
    """Serve an application at HOST:PORT while the context is open; `options` are uvicorn's.

    Raises `ConfigurationError`, naming `variable`, where the address cannot be listened on.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        listener = socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigurationError(f"{variable}: {address} cannot be listened on: {error.strerror}.") from error
    bounds = {"limit_concurrency": CONNECTIONS_MAX, "timeout_graceful_shutdown": STOP_TIMEOUT_S} | options
    config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off", **bounds)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name=variable)
    try:
        yield
    finally:
        server.stop()
        await serving
        listener.close()

"""The HTTP server of the admin address."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from bridge.errors import ConfigurationError

STOP_TIMEOUT_S = 2
CONNECTIONS_MAX = 100


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve(application: ASGIApp, address: str, variable: str) -> AsyncIterator[None]:
    """Serve an application at HOST:PORT while the context is open.

    Raises `ConfigurationError`, naming `variable`, where the address cannot be listened on.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        listener = socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigurationError(f"{variable}: {address} cannot be listened on: {error.strerror}.") from error
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="admin")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()

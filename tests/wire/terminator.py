"""Where TLS ends: a server that hands on what it decrypts, and tells a client by an alert what it lacks.

asyncio's own TLS closes a failed handshake without sending the alert, which Temporal's server does send.
"""

import asyncio
import contextlib
import ssl

CHUNK_BYTES = 65536


class Terminator:
    """Serves on one address with one context after another; the decrypted bytes go to `target`."""

    def __init__(self, address: str, target: str) -> None:
        self.address = address
        self._target = target
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    async def open(self, context: ssl.SSLContext) -> None:
        host, port = self.address.split(":")

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._passing.add(task)
            # Cancelled only by `close`; asyncio's server would tell of it.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._pass_on(_Client(reader, writer, context))
            writer.transport.abort()
            self._passing.discard(task)

        self._server = await asyncio.start_server(serve, host, int(port))

    async def close(self) -> None:
        """End every connection, and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        passing = tuple(self._passing)
        for task in passing:
            task.cancel()
        if passing:
            await asyncio.wait(passing)

    async def _pass_on(self, client: "_Client") -> None:
        if not await client.is_let_in():
            return
        host, port = self._target.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        ways = {asyncio.create_task(client.send_to(writer)), asyncio.create_task(client.take_from(reader))}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.transport.abort()


class _Client:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
        self._reader, self._writer = reader, writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def is_let_in(self) -> bool:
        """Return whether the handshake succeeds; an alert has been sent where it does not."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._receive():
                    return False
            except ssl.SSLError:
                await self._flush()
                self._writer.close()
                await self._writer.wait_closed()
                return False
            else:
                await self._flush()
                return True

    async def send_to(self, server: asyncio.StreamWriter) -> None:
        while True:
            try:
                clear = self._tls.read(CHUNK_BYTES)
            except ssl.SSLWantReadError:
                await server.drain()
                if not await self._receive():
                    return
            else:
                if not clear:
                    return  # it has closed
                server.write(clear)

    async def take_from(self, server: asyncio.StreamReader) -> None:
        while clear := await server.read(CHUNK_BYTES):
            self._tls.write(clear)
            await self._flush()

    async def _receive(self) -> bool:
        self._incoming.write(chunk := await self._reader.read(CHUNK_BYTES))
        return bool(chunk)

    async def _flush(self) -> None:
        if self._outgoing.pending:
            self._writer.write(self._outgoing.read())
            await self._writer.drain()

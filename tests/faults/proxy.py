"""A TCP proxy in user space: it can hold back, swallow one direction, refuse and reset."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")

CHUNK_BYTES, SLOW_CHUNK_BYTES = 65536, 1024
CALL_SECONDS = 10.0
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing sends RST


@dataclass(slots=True)
class Faults:
    """What is done to the bytes that pass; `answers` are those of the server."""

    delay_seconds: float = 0.0
    swallow_requests: bool = False
    swallow_answers: bool = False
    refuse: bool = False
    bytes_a_second: float = 0.0  # of each direction, over all connections; 0 is as fast as it goes


@dataclass(slots=True)
class Seen:
    """What has passed, in bytes, and how many connections there were."""

    requests: int = 0
    answers: int = 0
    swallowed_requests: int = 0
    swallowed_answers: int = 0
    connections: int = 0
    refused: int = 0
    reset: int = 0


@dataclass(eq=False, slots=True)
class _Pair:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_broken: bool = field(default=False)


class Proxy:
    """Listens on a port of its own in a thread of its own; `faults` may be changed at any time."""

    def __init__(self, target: str) -> None:
        self._host, port = target.rsplit(":", 1)
        self._port = int(port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._pairs: set[_Pair] = set()
        self.faults = Faults()
        self.seen = Seen()
        self._swallowed_before = 0
        self._free_at = {True: 0.0, False: 0.0}
        self.address = ""

    @property
    def target(self) -> str:
        """The address of the server behind it."""
        return f"{self._host}:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.address = "{}:{}".format(*self._server.sockets[0].getsockname()[:2])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reset(self) -> None:
        """Break every connection there is with RST, and let new ones pass unhurt."""

        async def reset() -> None:
            self.faults = Faults()
            for pair in list(self._pairs):
                self._break(pair)

        self._call(reset())

    def cut(self) -> None:
        """Break what is open, and refuse what is new; `reset` heals."""
        self.faults.refuse = True

        async def cut() -> None:
            for pair in list(self._pairs):
                self._break(pair)

        self._call(cut())

    def swallow_answers(self) -> None:
        """Let requests arrive and nothing come back; `reset` heals."""
        self._swallowed_before = self.seen.swallowed_answers
        self.faults = Faults(swallow_answers=True)

    @property
    def swallowed_since(self) -> int:
        """Return how many bytes of answers were swallowed since `swallow_answers`."""
        return self.seen.swallowed_answers - self._swallowed_before

    def blackhole(self) -> None:
        """Swallow everything, both ways; `reset` heals."""
        self.faults = Faults(swallow_requests=True, swallow_answers=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen.connections += 1
        try:
            if self.faults.refuse:
                raise ConnectionRefusedError("told to")
            there, server = await asyncio.open_connection(self._host, self._port)
        except OSError:
            self.seen.refused += 1
            writer.close()
            return
        pair = _Pair(writer, server)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, server, pair, is_answer=False))
                group.create_task(self._pass_on(there, writer, pair, is_answer=True))
        finally:
            self._pairs.discard(pair)
            for each in (writer, server):
                each.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, pair: _Pair, *, is_answer: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(SLOW_CHUNK_BYTES if self.faults.bytes_a_second else CHUNK_BYTES):
                await self._take_time(len(chunk), is_answer=is_answer)
                if self._count(len(chunk), swallowed=self._is_swallowed(is_answer=is_answer), is_answer=is_answer):
                    sink.write(chunk)
                    await sink.drain()
            if not pair.is_broken and sink.can_write_eof():
                sink.write_eof()

    async def _take_time(self, size: int, *, is_answer: bool) -> None:
        """Wait as long as the link needs: what is sent meanwhile on any connection queues behind it."""
        faults = self.faults
        seconds = faults.delay_seconds
        if faults.bytes_a_second:
            now = self._loop.time()
            self._free_at[is_answer] = max(now, self._free_at[is_answer]) + size / faults.bytes_a_second
            seconds += self._free_at[is_answer] - now
        if seconds:
            await asyncio.sleep(seconds)

    def _is_swallowed(self, *, is_answer: bool) -> bool:
        return self.faults.swallow_answers if is_answer else self.faults.swallow_requests

    def _count(self, size: int, *, swallowed: bool, is_answer: bool) -> bool:
        name = "answers" if is_answer else "requests"
        name = f"swallowed_{name}" if swallowed else name
        setattr(self.seen, name, getattr(self.seen, name) + size)
        return not swallowed

    def _break(self, pair: _Pair) -> None:
        pair.is_broken = True
        self.seen.reset += 1
        for writer in (pair.client, pair.server):
            found: socket.socket = writer.get_extra_info("socket")
            if found.fileno() >= 0:  # it may have closed by itself
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _close(self) -> None:
        self._server.close()
        for pair in list(self._pairs):
            self._break(pair)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call(self, what: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(CALL_SECONDS)

"""The mail sink: an SMTP server that keeps every message as a file and sends none on.

Run as `python -m bridge.dev.sink PORT FOLDER [ADDRESS]`; it listens on this machine alone unless told otherwise.
"""

import asyncio
import itertools
import os
import signal
import sys
import time
from pathlib import Path

from aiosmtpd import smtp

from bridge.dev import ports

MESSAGE_BYTES_MAX = 32 * 1024 * 1024
ACCEPTED = "250 OK"


class Keeper:
    """Keeps each message as it came in a file of its own; names sort by arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, server: smtp.SMTP, session: smtp.Session, envelope: smtp.Envelope
    ) -> str:
        """Write the message before it is accepted."""
        del server, session
        message = envelope.original_content or b""
        await asyncio.to_thread(self._keep, message)
        return ACCEPTED

    def _keep(self, message: bytes) -> None:
        name = f"{time.time_ns()}-{os.getpid()}-{next(self._numbers):06}"
        unfinished = self._folder / f".{name}"  # a reader of *.eml never sees half a message
        unfinished.write_bytes(message)
        unfinished.replace(self._folder / f"{name}.eml")


async def serve(port: int, folder: Path, host: str = ports.HOST) -> None:
    """Accept mail until SIGTERM or SIGINT; the folder is there."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    keeper = Keeper(folder)

    def connection() -> smtp.SMTP:
        return smtp.SMTP(
            keeper, hostname="localhost", data_size_limit=MESSAGE_BYTES_MAX, enable_SMTPUTF8=True, loop=loop
        )

    server = await loop.create_server(connection, host, port)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4]))

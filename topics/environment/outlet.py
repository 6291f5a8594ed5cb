"""Where log lines leave the process: from a thread of its own, as who reads them may stand still."""

import io
import logging
import os
import queue
import select
import threading
from datetime import timedelta
from typing import TextIO

LINES_MAX = 10_000
LEAVE_WITHIN = timedelta(seconds=2)  # what is not read by then, at the end of the process, is let go


def handler(stream: TextIO) -> logging.Handler:
    """Return what writes to a stream; a pipe or a file that takes nothing must hold up no work."""
    try:
        return logging.StreamHandler(stream) if stream.isatty() else Outlet(stream.fileno())
    except io.UnsupportedOperation:  # it is in memory
        return logging.StreamHandler(stream)


class Outlet(logging.Handler):
    """Writes lines to a file descriptor. Beyond 10,000 lines that nobody takes, lines are dropped, and counted."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(LINES_MAX)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a line over, without waiting."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1
        except Exception:  # noqa: BLE001 - the contract of a handler: a line that cannot be made stops nothing
            self.handleError(record)

    def close(self) -> None:
        """Let what is waiting out, but not for long."""
        try:
            self._lines.put(None, timeout=LEAVE_WITHIN.total_seconds())
        except queue.Full:
            pass  # nobody reads
        else:
            self._thread.join(LEAVE_WITHIN.total_seconds())
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            self._out(line)
            if self._dropped and self._lines.empty():
                dropped, self._dropped = self._dropped, 0
                told = f"{dropped} log lines dropped: nobody took them"
                self._out(self.format(logging.LogRecord(__name__, logging.WARNING, __file__, 0, told, None, None)))

    def _out(self, line: str) -> None:
        left = f"{line}\n".encode(errors="backslashreplace")
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # a pipe that does not wait, and is full: half a line would spoil the next one
                self._wait_for_room()
            except OSError:
                return  # a full disk, a reader that is gone: the next line may find room again

    def _wait_for_room(self) -> None:
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLOUT)
        waiting.poll()

"""Ctrl-C, SIGTERM and the closing of the terminal: the first asks, the second insists."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stopping(insist: Callable[[], None]) -> Iterator[asyncio.Event]:
    """Give an event that the first signal sets; each further one calls `insist`."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        if stopped.is_set():
            insist()
        stopped.set()

    for number in STOPPING:
        loop.add_signal_handler(number, stop)
    try:
        yield stopped
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)

"""A bound on the CPU time of what nothing else can interrupt: a regular expression, or a library's loop."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn


class TooSlowError(Exception):
    """It took longer than it may."""


def _ring(*_: object) -> NoReturn:
    raise TooSlowError


@contextlib.contextmanager
def within(span: timedelta) -> Iterator[None]:
    """Raise `TooSlowError` out of what takes more of the process's CPU time; bounds nothing outside the main thread.

    The interpreter looks for signals between instructions, and its regular expressions do while they match.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, span.total_seconds())
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

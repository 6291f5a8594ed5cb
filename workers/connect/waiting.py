"""Try again, ever more slowly, until the connect time is over."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from workers.errors import ConnectError

ATTEMPT_TIMEOUT = timedelta(seconds=10)
BACKOFF_FIRST = timedelta(milliseconds=100)
BACKOFF_MAX = timedelta(seconds=2)

Result = TypeVar("Result")


class AwayError(Exception):
    """This attempt failed in a way that time may heal."""


async def within(limit: timedelta, attempt: Callable[[], Awaitable[Result]], what: str, correct: str) -> Result:
    """Return what `attempt` returns once it does not raise `AwayError`; `correct` names the variables.

    Raises `ConnectError` after `limit`; whatever else `attempt` raises passes at once.
    """
    backoff, last = BACKOFF_FIRST, "it does not answer"
    seconds = limit.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    async with asyncio.timeout(ATTEMPT_TIMEOUT.total_seconds()):
                        return await attempt()
                except AwayError as error:
                    last = str(error) or last
                except TimeoutError:
                    last = "it does not answer"
                await asyncio.sleep(backoff.total_seconds() * random.uniform(0.5, 1.0))  # noqa: S311 -- jitter
                backoff = min(backoff * 2, BACKOFF_MAX)
    except TimeoutError:
        raise ConnectError(
            f"{what} could not be reached within {seconds:g} s ({last}): start it, or correct {correct}. "
            "BRIDGE_CONNECT_TIMEOUT sets how long to wait."
        ) from None

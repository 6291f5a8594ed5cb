"""Wait for what comes, for a bounded time."""

import asyncio
from collections.abc import Awaitable, Callable

SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.02


async def until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds."""

    async def holds() -> bool:
        return condition()

    await until_told(holds)


async def until_told(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once `condition`, which has to ask somebody, holds."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await condition():  # noqa: ASYNC110 -- what is waited for is in another process
            await asyncio.sleep(PAUSE_SECONDS)

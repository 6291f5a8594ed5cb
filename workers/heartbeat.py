"""Tell Temporal that a long activity is alive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity

from workers import policies

INTERVAL = policies.HEARTBEAT_TIMEOUT / 3


@asynccontextmanager
async def beating(interval: timedelta = INTERVAL) -> AsyncIterator[None]:
    """Send a heartbeat each `interval` while the body runs."""
    task = asyncio.create_task(_beat(interval))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _beat(interval: timedelta) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(interval.total_seconds())

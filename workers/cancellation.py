"""What a cancel request does to a run, from workflow code."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio import workflow

Result = TypeVar("Result")


async def to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Await `work` to its end, even if the run is cancelled meanwhile: what it does cannot be undone."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # A run is cancelled at most once, so this cannot be interrupted again (but by eviction, which must end it).
        return await task


def requested() -> bool:
    """Return whether the run was asked to cancel."""
    return workflow.cancellation_reason() is not None


def reason() -> str | None:
    """Return the reason that the cancel request gave, None if it gave none."""
    return workflow.cancellation_reason() or None

"""Run what blocks beside the event loop, in a thread that the process need not wait for when it leaves."""

import asyncio
import contextlib
import threading
from collections.abc import Callable


async def run(work: Callable[[], object], name: str) -> None:
    """Return once `work` has returned; cancelled, leave it to itself. Raises nothing of what it raises."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def working() -> None:
        try:
            work()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=working, name=name, daemon=True).start()
    await done.wait()

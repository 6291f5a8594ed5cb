"""A time cut into windows, each with no more closed runs than fit into memory."""

from collections.abc import AsyncIterator
from datetime import timedelta

from bridge.feed import clock
from bridge.feed.visibility import PAGE_ROWS, ClosedRun, Visibility

ROWS_MAX = 20_000  # about 1 kB each
WIDTH_MAX_MS = clock.ms(timedelta(days=36500))
WIDER = 4


class Windows:
    """Remembers how wide a window may be: after an outage a minute may hold more than fits, else hours hold nothing."""

    def __init__(self, visibility: Visibility, rows_max: int = ROWS_MAX) -> None:
        self._visibility = visibility
        self._rows_max = rows_max
        self._width_ms = WIDTH_MAX_MS

    async def between(self, from_ms: int, until_ms: int) -> AsyncIterator[list[ClosedRun]]:
        """Yield what closed in that time, oldest first, a window at a time; at its edge a run may come twice."""
        while from_ms < until_ms:
            end_ms = min(from_ms + self._width_ms, until_ms)
            runs = await self._read(from_ms, end_ms)
            if runs is None:
                continue
            if len(runs) < self._rows_max // WIDER:
                self._width_ms = min(self._width_ms * (WIDER if runs else WIDER**2), WIDTH_MAX_MS)
            yield runs
            from_ms = end_ms

    async def _read(self, from_ms: int, end_ms: int) -> list[ClosedRun] | None:
        """Return the runs of a window; None where they are too many, and the next window is to be narrower."""
        runs: list[ClosedRun] = []
        async for page in self._visibility.closed_between(from_ms, end_ms):
            if not runs and len(page) >= PAGE_ROWS and end_ms - from_ms > 1:
                count = await self._visibility.count_between(from_ms, end_ms)
                if count > self._rows_max:
                    self._width_ms = max(1, (end_ms - from_ms) * self._rows_max * 3 // 4 // count)
                    return None
            runs += page
        return sorted(runs, key=lambda run: run.closed_ms)

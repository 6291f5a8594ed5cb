"""How time is cut into windows, how the second look goes, and what is said of retention: without servers."""

import dataclasses
import time
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any

import pytest
import structlog
import temporalio.api.workflowservice.v1 as workflowservice

from bridge.errors import TemporalAwayError
from bridge.feed import retention
from bridge.feed.secondlook import AGE_MS, SPAN_MS, SecondLook
from bridge.feed.visibility import PAGE_ROWS, ClosedRun, Visibility
from bridge.feed.windows import Windows
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Log
from topics.lifecycle import State

HOUR_MS = 3_600_000


@dataclasses.dataclass
class Shelf:
    """Stands for visibility: the close times of runs, and how often it was asked."""

    closed_ms: list[int]
    calls: int = 0
    rows_most: int = 0

    def within(self, from_ms: int, to_ms: int) -> list[ClosedRun]:
        times = [time for time in sorted(self.closed_ms, reverse=True) if from_ms <= time <= to_ms]
        return [ClosedRun("w", f"r-{time}", State.COMPLETED, time, None) for time in times]

    async def count_between(self, from_ms: int, to_ms: int) -> int:
        self.calls += 1
        return len(self.within(from_ms, to_ms))

    async def closed_between(self, from_ms: int, to_ms: int) -> AsyncIterator[list[ClosedRun]]:
        rows = self.within(from_ms, to_ms)
        for start in range(0, len(rows) or 1, PAGE_ROWS):
            self.calls += 1
            yield rows[start : start + PAGE_ROWS]


async def read(shelf: Shelf, from_ms: int, until_ms: int, rows_max: int = 5000) -> list[list[int]]:
    windows = Windows(shelf, rows_max)  # type: ignore[arg-type] # it has what is asked of visibility
    return [[run.closed_ms for run in runs] async for runs in windows.between(from_ms, until_ms)]


def flat(found: Iterable[Iterable[int]]) -> list[int]:
    return sorted({time for window in found for time in window})


async def test_a_quiet_time_is_one_window_and_one_call() -> None:
    shelf = Shelf([5, 3, 9])
    assert await read(shelf, 0, HOUR_MS) == [[3, 5, 9]]
    assert shelf.calls == 1


async def test_a_busy_time_is_cut_so_that_no_window_holds_too_much_and_nothing_is_missed() -> None:
    times = [*range(HOUR_MS, HOUR_MS + 40_000, 2), 7, 2 * HOUR_MS]
    shelf = Shelf(times)
    found = await read(shelf, 0, 3 * HOUR_MS)
    assert flat(found) == sorted(times)
    assert max(len(window) for window in found) <= 5000
    assert shelf.calls < 100
    assert [window[0] for window in found if window] == sorted(window[0] for window in found if window)


async def test_what_closed_in_one_millisecond_is_read_whole_however_much_it_is() -> None:
    found = await read(Shelf([50] * 3000), 0, 100, rows_max=2000)
    assert max(len(window) for window in found) == 3000


def test_each_time_is_looked_at_again_once_when_it_is_a_minute_old() -> None:
    look = SecondLook()
    look.begin(1_000_000)
    watermark_ms = 1_000_000
    assert look.due(1_000_000 + SPAN_MS - 1, watermark_ms) is None
    assert look.due(1_000_000 + SPAN_MS, watermark_ms) == (1_000_000 - AGE_MS, 1_000_000 - AGE_MS + SPAN_MS)
    look.done(1_000_000 - AGE_MS + SPAN_MS)
    assert look.due(1_000_000 + SPAN_MS, watermark_ms) is None


def test_nothing_is_looked_at_again_that_the_memory_has_forgotten() -> None:
    look = SecondLook()
    look.begin(1_000_000)
    due = look.due(3_000_000, watermark_ms=2_990_000)
    assert due is not None
    assert due == (2_880_000, 2_940_000)


async def test_visibility_is_asked_at_a_pace_that_leaves_room_for_others() -> None:
    apart = timedelta(milliseconds=30)
    visibility = Visibility(Empty(), "g", apart)  # type: ignore[arg-type] # it has what is asked of a server
    began = time.monotonic()
    for _ in range(4):
        assert [page async for page in visibility.closed_between(0, 1)] == [[]]
    assert time.monotonic() - began >= 3 * apart.total_seconds()


class Empty:
    """Stands for a server that knows no run."""

    namespace = "default"
    service: Any

    def __init__(self) -> None:
        self.service = self
        self.list_workflow_executions = None

    async def ask(self, *_: Any) -> workflowservice.ListWorkflowExecutionsResponse:
        return workflowservice.ListWorkflowExecutionsResponse()


class Namespace:
    """Stands for the server, which keeps runs for a day; or for one that refuses to say."""

    namespace = "default"
    service: Any

    def __init__(self, *, refuses: bool = False) -> None:
        self.service = self
        self.describe_namespace = None
        self.refuses = refuses

    async def ask(self, *_: Any) -> workflowservice.DescribeNamespaceResponse:
        if self.refuses:
            raise TemporalAwayError("PERMISSION_DENIED")
        found = workflowservice.DescribeNamespaceResponse()
        found.config.workflow_execution_retention_ttl.FromTimedelta(timedelta(days=1))
        return found


@pytest.mark.parametrize(
    ("watermark_hours_ago", "refuses", "told"), [(23, False, 0), (25, False, 1), (25, True, 0), (None, False, 0)]
)
async def test_it_is_said_that_ends_are_lost_where_nobody_swept_for_longer_than_runs_are_kept(
    watermark_hours_ago: int | None, refuses: bool, told: int
) -> None:
    now_ms = 1000 * HOUR_MS
    watermark_ms = now_ms - watermark_hours_ago * HOUR_MS if watermark_hours_ago is not None else 0
    with structlog.testing.capture_logs() as lines:
        await retention.check(Namespace(refuses=refuses), watermark_ms, now_ms, Metrics())  # type: ignore[arg-type] # as above
    assert [line["event"] for line in lines] == [Log.FEED_GAP] * told

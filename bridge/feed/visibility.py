"""Which runs have closed: Temporal's visibility, asked at a pace that leaves room for other people."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from bridge import mark, sealing
from bridge.command import rfc3339
from bridge.feed.asking import Asking
from bridge.mark import Mark
from bridge.sealing import Sealing
from topics.lifecycle import State

PAGE_ROWS = 1000
# A frontend allows a namespace 10 calls a second, and no burst; the rest is for other people and our look-backs.
PAGES_APART = timedelta(milliseconds=110)
SCHEDULE_ATTRIBUTE = "TemporalScheduledById"  # the server gives it to what a schedule begins

STATES: Mapping[int, State] = MappingProxyType(
    {
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED: State.COMPLETED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED: State.FAILED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED: State.CANCELLED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED: State.TERMINATED,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: State.TIMED_OUT,
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW: State.CONTINUED_AS_NEW,
    }
)


@dataclass(frozen=True, slots=True)
class ClosedRun:
    """A row of visibility: a run of ours that has closed; `closed_ms` is since the epoch, cut.

    `is_offspring` tells that a workflow or a schedule began it, and no command, whatever its memo says.
    """

    # Most rows are known already, so a mark is read only where it is asked for.

    workflow_id: str
    run_id: str
    state: State
    closed_ms: int
    memo: bytes | None
    is_offspring: bool = False

    @property
    def mark(self) -> Mark | None:
        """The mark in the run's memo, or None."""
        return mark.read_text(self.memo) if self.memo is not None else None


class Visibility:
    """Asks one namespace which runs of one group have closed."""

    def __init__(self, asking: Asking, group: str, pages_apart: timedelta = PAGES_APART) -> None:
        self._asking = asking
        self._group = group
        self._apart = pages_apart.total_seconds()
        self._next = 0.0  # by the monotonic clock

    async def closed_between(self, from_ms: int, to_ms: int) -> AsyncIterator[list[ClosedRun]]:
        """Yield the runs that closed in that time, both ends included, newest first, a page at a time."""
        query = self._query(from_ms, to_ms)
        token = b""
        while True:
            await self._turn()
            request = workflowservice.ListWorkflowExecutionsRequest(
                namespace=self._asking.namespace, query=query, page_size=PAGE_ROWS, next_page_token=token
            )
            page = await self._asking.ask(self._asking.service.list_workflow_executions, request)
            if page is None:
                return
            yield [_row(info, self._asking.sealing) for info in page.executions if info.status in STATES]
            token = page.next_page_token
            if not token:
                return

    async def count_between(self, from_ms: int, to_ms: int) -> int:
        """Return how many runs closed in that time."""
        await self._turn()
        request = workflowservice.CountWorkflowExecutionsRequest(
            namespace=self._asking.namespace, query=self._query(from_ms, to_ms)
        )
        found = await self._asking.ask(self._asking.service.count_workflow_executions, request)
        return found.count if found is not None else 0

    def _query(self, from_ms: int, to_ms: int) -> str:
        # The upper bound matters: without it PostgreSQL walks all open runs, whose close time counts as year 9999.
        return (
            f"{mark.GROUP_ATTRIBUTE} = '{self._group}' AND ExecutionStatus != 'Running' "
            f"AND CloseTime BETWEEN '{rfc3339(from_ms)}' AND '{rfc3339(to_ms)}'"
        )

    async def _turn(self) -> None:
        wait = self._next - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        self._next = time.monotonic() + self._apart


def _row(info: WorkflowExecutionInfo, opening: Sealing | None) -> ClosedRun:
    is_scheduled = SCHEDULE_ATTRIBUTE in info.search_attributes.indexed_fields
    return ClosedRun(
        workflow_id=info.execution.workflow_id,
        run_id=info.execution.run_id,
        state=STATES[info.status],
        closed_ms=info.close_time.ToMilliseconds(),
        memo=sealing.text_of(info.memo.fields[mark.MEMO], opening) if mark.MEMO in info.memo.fields else None,
        is_offspring=is_scheduled or bool(info.parent_execution.workflow_id),
    )

"""What the histories of a workflow id tell: which runs came before, and whether a command asked one to end."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Protocol

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from bridge.command import rfc3339
from bridge.dispatch.failures import KeyMustWaitError, OverloadedError
from bridge.dispatch.known import KnownRuns

EARLIER_RUNS_MAX = 200
ORIGINS_MAX = 10_000
PAGE_EVENTS = 100
PAGES_MAX = 100
LISTED_AFTER = timedelta(seconds=10)  # visibility lags; what closed longer ago it shows
_LISTED_AFTER_MS = LISTED_AFTER // timedelta(milliseconds=1)

_SIGNED: Mapping[int, str] = MappingProxyType(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: (
            "workflow_execution_cancel_requested_event_attributes"
        ),
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "workflow_execution_terminated_event_attributes",
    }
)
"""The events of which the server keeps nothing of the request but who asked."""


class Ask(Protocol):
    """Makes one call: the response, or what its error means."""

    def __call__(self, call: Callable[..., Awaitable[Any]], request: Any) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a run's first event tells: when it began, and the run that it continues.

    A reset run has the first event of the run that was reset, which is in no chain.
    """

    started_ms: int
    continued: str | None
    is_reset: bool

    def was_there(self, at_ms: int) -> bool:
        """Return whether the run began by then, so that those before it had closed."""
        return self.started_ms <= at_ms and not self.is_reset

    @property
    def is_listed(self) -> bool:
        """Whether the run began its chain, and so long ago that visibility shows what closed before it."""
        return self.continued is None and time.time() * 1000 - self.started_ms >= _LISTED_AFTER_MS


class History:
    """Reads histories and visibility of one namespace."""

    def __init__(self, client: Client, ask: Ask) -> None:
        self._service = client.workflow_service
        self._namespace = client.namespace
        self._ask = ask
        self._origins: dict[str, _Origin] = {}  # what began a run never changes
        # Runs before whose chain none closed since a time, in ms since the epoch. A server allows some 10 lists a
        # second, and after an outage thousands of commands come for runs that began behind them.
        self._firsts = KnownRuns()

    def note_first(self, run_id: str) -> None:
        """Note that a run began where its workflow id had none."""
        self._firsts.add(run_id)

    async def earlier_runs(self, workflow_id: str, run_id: str, since_ms: int) -> AsyncIterator[str]:
        """Yield the run ids before the latest one, `run_id`, that were open at or after `since_ms`, at most 200.

        First those of its chain, which is walked back by its own events: they do not lag. The oldest comes first, as a
        command that comes again was taken soon after it was sent. Then, where they can matter, those that are listed.
        """
        chain, was_reset = [run_id], False
        origin: _Origin | None = None
        while not (is_known := self._has_none_before(chain[-1], since_ms)):
            origin = await self._origin(workflow_id, chain[-1])
            if origin is None:
                break
            was_reset = was_reset or origin.is_reset
            if origin.continued is None or origin.was_there(since_ms) or len(chain) > EARLIER_RUNS_MAX:
                break
            chain.append(origin.continued)
        for earlier in reversed(chain[1:]):
            yield earlier
        if not was_reset and (is_known or (origin is not None and origin.was_there(since_ms))):
            return
        listed = [found for found in await self._closed(workflow_id, since_ms) if found not in chain]
        for found in listed:
            yield found
        if not (listed or was_reset) and origin is not None and origin.is_listed:
            self._firsts.add(chain[-1], since_ms)

    def _has_none_before(self, first_run_id: str, since_ms: int) -> bool:
        known_ms = self._firsts.get(first_run_id)
        return known_ms is not None and known_ms <= since_ms

    async def _closed(self, workflow_id: str, since_ms: int) -> list[str]:
        literal = workflow_id.replace("\\", "\\\\").replace("'", "''")
        request = workflowservice.ListWorkflowExecutionsRequest(
            namespace=self._namespace,
            query=f"WorkflowId = '{literal}' AND CloseTime >= '{rfc3339(since_ms)}'",
            page_size=EARLIER_RUNS_MAX,
        )
        try:
            response = await self._ask(self._service.list_workflow_executions, request)
        except OverloadedError as error:  # lists have a limit of their own, which says nothing of other calls
            raise KeyMustWaitError(f"a list of earlier runs: {error}") from error
        if not isinstance(response, workflowservice.ListWorkflowExecutionsResponse):
            return []
        return [info.execution.run_id for info in response.executions]

    async def is_signed_by(self, identity: str, workflow_id: str, run_id: str, since_ms: int) -> bool:
        """Return whether the run holds a cancel request or a termination by `identity`, at or after `since_ms`.

        A run that is cancelled may do much before it closes. Of its events the last 10,000 are looked at, at most.
        """
        request = workflowservice.GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=PAGE_EVENTS,
        )
        for _ in range(PAGES_MAX):
            response = await self._ask(self._service.get_workflow_execution_history_reverse, request)
            if not isinstance(response, workflowservice.GetWorkflowExecutionHistoryReverseResponse):
                return False
            events = response.history.events
            if any(_signer(event) == identity for event in events):
                return True
            if not response.next_page_token or (events and events[-1].event_time.ToMilliseconds() < since_ms):
                return False
            request.next_page_token = response.next_page_token
        return False

    async def _origin(self, workflow_id: str, run_id: str) -> _Origin | None:
        if (known := self._origins.get(run_id)) is not None:
            return known
        request = workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self._namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=1,
        )
        response = await self._ask(self._service.get_workflow_execution_history, request)
        if not isinstance(response, workflowservice.GetWorkflowExecutionHistoryResponse):
            return None
        event = response.history.events[0]
        started = event.workflow_execution_started_event_attributes
        if len(self._origins) >= ORIGINS_MAX:
            self._origins.clear()
        origin = self._origins[run_id] = _Origin(
            event.event_time.ToMilliseconds(),
            started.continued_execution_run_id or None,
            is_reset=started.original_execution_run_id != run_id,
        )
        return origin


def _signer(event: HistoryEvent) -> str | None:
    """Return who asked for the run's end by this event, if it is such a one."""
    attributes = _SIGNED.get(event.event_type)
    return getattr(event, attributes).identity if attributes is not None else None

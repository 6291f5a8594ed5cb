"""How one run began and ended, as Describe and its close event tell it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import SearchAttributes, WorkflowExecution
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes

from bridge import mark
from bridge.feed import opened, reason
from bridge.feed.asking import Asking
from bridge.feed.visibility import STATES
from bridge.mark import Mark
from bridge.outcomes.lifecycle import End, RunFacts

_ATTRIBUTES: Mapping[int, str] = MappingProxyType(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "workflow_execution_completed_event_attributes",
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "workflow_execution_failed_event_attributes",
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "workflow_execution_timed_out_event_attributes",
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: (
            "workflow_execution_continued_as_new_event_attributes"
        ),
    }
)
"""The close events that can name a next run."""


@dataclass(frozen=True, slots=True)
class Begun:
    """How a run began: `requests` are the ids of the requests that started it, `in_group` that a sweep finds it."""

    facts: RunFacts
    mark: Mark | None
    in_group: bool
    started_ms: int
    is_reset: bool = False
    is_child: bool = False
    requests: tuple[str, ...] = ()

    def is_begun_by(self, mark: Mark) -> bool:
        """Return whether the mark's command itself began the run: a child or a schedule may carry its mark too."""
        if self.is_child or self.facts.run_id != self.facts.first_run_id:
            return False
        own = mark.request_id
        # A server that is too old to tell the request ids tells none.
        return not self.requests or any(found == own or found.startswith(own + ":") for found in self.requests)


@dataclass(frozen=True, slots=True)
class Told:
    """What the server tells of a run: `end` is None while it is open, `successor` is the run that continues it.

    `clear` is the end with its result and failure decrypted, where the daemon has keys.
    """

    begun: Begun
    end: End | None = None
    successor: Begun | None = None
    clear: End | None = None


class Ends:
    """Asks one namespace for the beginning and the end of runs; `group` is whose search attribute counts."""

    def __init__(self, asking: Asking, group: str) -> None:
        self._asking = asking
        self._group_text = mark.group_text(group)
        self.namespace = asking.namespace

    async def look(self, workflow_id: str, run_id: str) -> Told | None:
        """Return what is known of a run; None where retention has taken it. Raises `TemporalAwayError`."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        service = self._asking.service
        described = await self._asking.ask(
            service.describe_workflow_execution,
            workflowservice.DescribeWorkflowExecutionRequest(namespace=self.namespace, execution=execution),
        )
        if described is None:
            return None
        begun = await self._begun(described, execution)
        info = described.workflow_execution_info
        if info.status not in STATES:
            return Told(begun)
        event = await self._close_event(execution)
        if event is None:
            return None
        end = End(
            state=STATES[info.status],
            started_ms=begun.started_ms,
            closed_ms=info.close_time.ToMilliseconds(),
            new_run_id=_next_run_id(event, described),
            failure=reason.failure(event),
            result=reason.result(event),
        )
        successor = await self._successor(begun.facts, end.new_run_id) if end.new_run_id is not None else None
        return Told(begun, end, successor, self._clear(end, event))

    def _clear(self, end: End, event: HistoryEvent) -> End | None:
        if (sealing := self._asking.sealing) is None:
            return None
        clear = opened.opened(event, sealing)
        return dataclasses.replace(end, failure=reason.failure(clear), result=reason.result(clear))

    async def first_mark(self, facts: RunFacts) -> Mark | None:
        """Return the mark of the first run of a chain, where it has one and is still retained."""
        execution = WorkflowExecution(workflow_id=facts.workflow_id, run_id=facts.first_run_id)
        described = await self._asking.ask(
            self._asking.service.describe_workflow_execution,
            workflowservice.DescribeWorkflowExecutionRequest(namespace=self.namespace, execution=execution),
        )
        if described is None:
            return None
        return mark.in_memo(described.workflow_execution_info.memo, self._asking.sealing)

    async def _begun(
        self, described: workflowservice.DescribeWorkflowExecutionResponse, execution: WorkflowExecution
    ) -> Begun:
        info = described.workflow_execution_info
        run_id = execution.run_id
        first = await self._first_event(execution) if info.first_run_id not in ("", run_id) else None
        facts = RunFacts(
            namespace=self.namespace,
            workflow_id=execution.workflow_id,
            run_id=run_id,
            first_run_id=info.first_run_id or run_id,
            workflow_type=info.type.name,
            task_queue=info.task_queue,
            attempt=max(1, first.attempt) if first is not None else 1,
        )
        extended = described.workflow_extended_info
        return Begun(
            facts,
            mark.in_memo(info.memo, self._asking.sealing),
            self._is_in_group(info.search_attributes),
            started_ms=info.start_time.ToMilliseconds(),
            is_child=bool(info.parent_execution.workflow_id),
            is_reset=extended.last_reset_time.seconds > 0,
            requests=tuple(extended.request_id_infos),
        )

    async def _successor(self, before: RunFacts, run_id: str) -> Begun:
        first = await self._first_event(WorkflowExecution(workflow_id=before.workflow_id, run_id=run_id))
        if first is None:  # retention took it already: all that can be told is that it was
            return Begun(before._replace(run_id=run_id, attempt=1), None, in_group=True, started_ms=0)
        facts = before._replace(
            run_id=run_id,
            attempt=max(1, first.attempt),
            workflow_type=first.workflow_type.name or before.workflow_type,
            task_queue=first.task_queue.name or before.task_queue,
        )
        marked = mark.in_memo(first.memo, self._asking.sealing)
        return Begun(facts, marked, self._is_in_group(first.search_attributes), started_ms=0)

    def _is_in_group(self, attributes: SearchAttributes) -> bool:
        payload = attributes.indexed_fields.get(mark.GROUP_ATTRIBUTE)
        return payload is not None and payload.data == self._group_text

    async def _close_event(self, execution: WorkflowExecution) -> HistoryEvent | None:
        request = workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self.namespace,
            execution=execution,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        response = await self._asking.ask(self._asking.service.get_workflow_execution_history, request)
        return response.history.events[-1] if response is not None and response.history.events else None

    async def _first_event(self, execution: WorkflowExecution) -> WorkflowExecutionStartedEventAttributes | None:
        request = workflowservice.GetWorkflowExecutionHistoryRequest(
            namespace=self.namespace, execution=execution, maximum_page_size=1
        )
        response = await self._asking.ask(self._asking.service.get_workflow_execution_history, request)
        if response is None or not response.history.events:
            return None
        return response.history.events[0].workflow_execution_started_event_attributes


def _next_run_id(event: HistoryEvent, described: workflowservice.DescribeWorkflowExecutionResponse) -> str | None:
    """Return the run that continues a closed one, also where a reset terminated it to put another in its place."""
    if event.event_type in _ATTRIBUTES:
        return getattr(event, _ATTRIBUTES[event.event_type]).new_execution_run_id or None
    if event.workflow_execution_terminated_event_attributes.identity == reason.RESETTER:
        return described.workflow_extended_info.reset_run_id or None
    return None

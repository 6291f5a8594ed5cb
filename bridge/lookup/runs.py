"""Ask Temporal for runs: by workflow id, by run, by the ids of commands and traces; and what came into a run."""

from collections.abc import Iterator
from dataclasses import dataclass

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge import mark
from bridge.command import rfc3339
from bridge.dispatch import run as runs
from bridge.errors import ConfigurationError, TemporalAwayError
from bridge.feed.asking import Asking
from bridge.feed.ends import Ends
from bridge.feed.visibility import STATES
from bridge.lookup import past
from bridge.mark import Mark
from topics.lifecycle import Failure

RUNNING = "running"
LISTED_MAX = 20
EVENTS_MAX = 200
WAITS_MAX = 10
CHAIN_MAX = 10


@dataclass(frozen=True, slots=True)
class RunFound:
    """A run as Describe tells it now. `waits` says in words what it waits for; times are ms since the epoch."""

    namespace: str
    workflow_id: str
    run_id: str
    first_run_id: str
    workflow_type: str
    task_queue: str
    state: str
    started_ms: int
    closed_ms: int
    mark: Mark | None
    new_run_id: str | None
    failure: Failure | None
    waits: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether it has not closed yet."""
        return self.state == RUNNING


class Runs:
    """Asks one namespace; raises `TemporalAwayError`."""

    def __init__(self, client: Client, group: str) -> None:
        self._asking = Asking(client)
        self._ends = Ends(self._asking, group)
        self.namespace = client.namespace

    async def describe(self, workflow_id: str, run_id: str = "") -> RunFound | None:
        """Return a run, or the latest of its workflow id; None where there is none (any more)."""
        response = await self._asking.ask(
            self._asking.service.describe_workflow_execution,
            workflowservice.DescribeWorkflowExecutionRequest(
                namespace=self.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
            ),
        )
        if response is None:
            return None
        info = response.workflow_execution_info
        run = runs.of(info, self._asking.sealing)
        told = None if run.is_open else await self._ends.look(run.workflow_id, run.run_id)
        end = told.end if told is not None else None
        return RunFound(
            namespace=self.namespace,
            workflow_id=run.workflow_id,
            run_id=run.run_id,
            first_run_id=run.first_run_id,
            workflow_type=info.type.name,
            task_queue=info.task_queue,
            state=STATES[info.status].value if info.status in STATES else RUNNING,
            started_ms=run.started_ms,
            closed_ms=run.closed_ms,
            mark=run.mark,
            new_run_id=end.new_run_id if end is not None else None,
            failure=end.failure if end is not None else None,
            waits=tuple(_waits(response, info.task_queue))[:WAITS_MAX] if run.is_open else (),
        )

    async def chain(self, run: RunFound) -> list[RunFound]:
        """Return a run and those that continued it, at most ten."""
        found = [run]
        while found[-1].new_run_id and len(found) < CHAIN_MAX:
            following = await self.describe(run.workflow_id, found[-1].new_run_id)
            if following is None:
                break
            found.append(following)
        return found

    async def marked(self, wanted: str) -> list[tuple[str, str]]:
        """Return workflow and run id of the runs that visibility finds by a command's or a trace's id."""
        return await self._listed(f"{mark.IDS_ATTRIBUTE} = {_literal(wanted)}")

    async def of_workflow(self, workflow_id: str) -> list[tuple[str, str]]:
        """Return workflow and run id of the runs that visibility has of a workflow id, newest first."""
        return await self._listed(f"WorkflowId = {_literal(workflow_id)}")

    async def past(self, run: RunFound) -> past.Past:
        """Return what the newest events of a run tell."""
        request = workflowservice.GetWorkflowExecutionHistoryReverseRequest(
            namespace=self.namespace,
            execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
            maximum_page_size=EVENTS_MAX,
        )
        response = await self._asking.ask(self._asking.service.get_workflow_execution_history_reverse, request)
        if response is None:
            return past.read((), is_whole=False)
        return past.read(list(reversed(response.history.events)), is_whole=not response.next_page_token)

    async def _listed(self, query: str) -> list[tuple[str, str]]:
        request = workflowservice.ListWorkflowExecutionsRequest(
            namespace=self.namespace, query=query, page_size=LISTED_MAX
        )
        try:
            response = await self._asking.ask(self._asking.service.list_workflow_executions, request)
        except TemporalAwayError as error:
            cause = error.__cause__
            if isinstance(cause, RPCError) and cause.status is RPCStatusCode.INVALID_ARGUMENT:
                raise ConfigurationError(
                    f"Temporal's namespace {self.namespace} cannot be asked for {query} ({cause.message}): "
                    "run `bridge setup apply`."
                ) from error
            raise
        rows = response.executions if response is not None else ()
        return [(info.execution.workflow_id, info.execution.run_id) for info in rows]


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _waits(response: workflowservice.DescribeWorkflowExecutionResponse, task_queue: str) -> Iterator[str]:
    task = response.pending_workflow_task
    if response.HasField("pending_workflow_task") and not task.started_time.seconds:
        since = rfc3339(task.original_scheduled_time.ToMilliseconds())
        yield f"its workflow task waits since {since} for a worker that polls the task queue {task_queue}"
    for activity in response.pending_activities:
        name = activity.activity_type.name
        if activity.attempt > 1:
            kind = activity.last_failure.application_failure_info.type or "failure"
            yield f"the activity {name} has failed {activity.attempt - 1} times ({kind}) and is tried again"
        elif activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            yield f"the activity {name} waits for a worker"
        else:
            yield f"the activity {name} is running"

"""How a run begins and ends, as an event.

Built of the run's mark and the server's words alone, so that copies have the same bytes.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pydantic_core

from bridge import bounds
from bridge.command import Command, Identity, rfc3339
from bridge.mark import Mark
from bridge.outcomes import event
from bridge.outcomes.event import Cause, OutRecord
from topics import ids
from topics.lifecycle import Failure, State, WorkflowEnded


class RunFacts(NamedTuple):
    """What both ends of a run's life tell of it."""

    namespace: str
    workflow_id: str
    run_id: str
    first_run_id: str
    workflow_type: str
    task_queue: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class End:
    """How a run closed. Times are ms since the epoch, cut; `new_run_id` is the run that continues it.

    `result` is JSON text as the workflow returned it, None where it was not asked for or cannot be told.
    """

    state: State
    started_ms: int
    closed_ms: int
    new_run_id: str | None = None
    failure: Failure | None = None
    result: bytes | None = None


def begun(command: Command, group: str, run: RunFacts, topic: str) -> OutRecord:
    """Return `workflow.started` of the run that a command has just begun: what `started` makes of the run's mark."""
    cause = Cause(command.identity.id, command.correlation_id, command.traceparent, command.tracestate, command.span)
    return _started(command.identity, cause, group, run, topic, bounds.milliseconds(command.record.time))


def started(mark: Mark, run: RunFacts, topic: str) -> OutRecord:
    """Return `workflow.started`; its time is that of the command's record."""
    return _started(_identity(mark), _cause(mark), mark.group, run, topic, mark.recorded_ms)


def _started(identity: Identity, cause: Cause, group: str, run: RunFacts, topic: str, time_ms: int) -> OutRecord:
    # A `WorkflowStarted`, without the model: to make one costs more than all else here.
    data = pydantic_core.to_json(_common(identity, run, State.STARTED))
    return _event(cause, group, run, State.STARTED, topic, time_ms, data)


def ended(mark: Mark, run: RunFacts, end: End, topic: str, *, with_result: bool = False) -> OutRecord:
    """Return the event of the run's close; its time is the server's."""
    data = WorkflowEnded(
        **_common(_identity(mark), run, end.state),
        started_at=rfc3339(end.started_ms),
        closed_at=rfc3339(end.closed_ms),
        duration_ms=end.closed_ms - end.started_ms,
        new_run_id=end.new_run_id,
        failure=end.failure,
    )
    text = data.json_bytes()
    if with_result and end.state is State.COMPLETED:
        # It goes on as it was returned: parsed and written again, its numbers could change.
        text = text[:-1] + b',"result":' + (end.result or b"null") + b"}"
    return _event(_cause(mark), mark.group, run, end.state, topic, end.closed_ms, text)


def event_id(namespace: str, workflow_id: str, run_id: str, state: State) -> str:
    """Return the id of the event that announces `state` of a run."""
    return ids.text("lifecycle", namespace, workflow_id, run_id, state)


def _identity(mark: Mark) -> Identity:
    return Identity(mark.source, mark.command, mark.type)


def _cause(mark: Mark) -> Cause:
    return Cause(mark.command, mark.correlationid, mark.traceparent, mark.tracestate, mark.span)


def _common(identity: Identity, run: RunFacts, state: State) -> dict[str, Any]:
    return {
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "first_run_id": run.first_run_id,
        "workflow_type": run.workflow_type,
        "namespace": run.namespace,
        "task_queue": run.task_queue,
        "state": str(state),  # to write an enum takes as long as all the rest
        "command_id": identity.id or None,
        "command_source": identity.source or None,
        "command_type": identity.type or None,
        "attempt": run.attempt,
    }


def _event(cause: Cause, group: str, run: RunFacts, state: State, topic: str, time_ms: int, data: bytes) -> OutRecord:
    return event.record(
        topic=topic,
        key=run.workflow_id,
        event_id=event_id(run.namespace, run.workflow_id, run.run_id, state),
        source=f"/bridge/{group}",
        type=state.event_type,
        subject=run.workflow_id,
        time=rfc3339(time_ms),
        timestamp_ms=time_ms,
        data=data,
        cause=cause,
    )

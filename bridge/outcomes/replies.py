"""The answers to a command record: the same bytes whenever they are made again."""

from collections.abc import Mapping
from types import MappingProxyType

import pydantic_core

from bridge import tracecontext
from bridge.command import BadRecord, Command, rfc3339
from bridge.mark import Mark
from bridge.outcome import Accepted, DeadLettered, Duplicate, Rejected, Settled
from bridge.outcomes import event
from bridge.outcomes.event import Cause, OutRecord
from bridge.outcomes.lifecycle import End, RunFacts
from topics import ids, tables
from topics.replies import ReplyOutcome

OUTCOMES: Mapping[type[Settled], ReplyOutcome] = MappingProxyType(
    {
        Accepted: ReplyOutcome.ACCEPTED,
        Duplicate: ReplyOutcome.DUPLICATE,
        Rejected: ReplyOutcome.REJECTED,
        DeadLettered: ReplyOutcome.REJECTED,
    }
)


def reply(content: Command | BadRecord, settled: Settled, group: str) -> OutRecord | None:
    """Return the reply, or None where no command id could be read."""
    identity = content.identity
    if identity is None:
        return None
    record = content.record
    outcome = OUTCOMES[type(settled)]
    event_id = ids.text(
        "reply", identity.source, identity.id, outcome, record.topic, str(record.partition), str(record.offset)
    )
    workflow_id = content.workflow_id if isinstance(content, Command) else None
    refusal = None if isinstance(settled, Accepted | Duplicate) else settled
    time = record.time
    # A `Reply`, without the model: to make one costs more than all else here.
    data = {
        "command_id": identity.id,
        "command_source": identity.source,
        "command_type": identity.type,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "time": time,
        "outcome": str(outcome),  # to write an enum takes as long as all the rest
        "workflow_id": workflow_id,
        "run_id": None if isinstance(settled, DeadLettered) else settled.run_id,
        "reason": refusal and refusal.reason,
        "detail": refusal and refusal.detail,
    }
    return event.record(
        topic=content.reply_to or tables.REPLIES_TOPIC,
        key=identity.id,
        event_id=event_id,
        source=f"/bridge/{group}",
        type=outcome.event_type,
        subject=workflow_id,
        time=time,
        timestamp_ms=record.timestamp_ms,
        data=pydantic_core.to_json(data),
        cause=cause(content, identity.source, identity.id),
    )


def done(mark: Mark, run: RunFacts, end: End, topic: str) -> OutRecord:
    """Return the second reply to the command in `mark`, once the chain of runs whose last one is `run` has ended.

    Kafka's timestamp is the chain's close, though the event's time is the command's as in each reply: else a topic that
    keeps a week would drop the answer of a longer run at once.
    """
    outcome = ReplyOutcome.DONE
    coordinates = (mark.topic, str(mark.partition), str(mark.offset))
    data = {
        "command_id": mark.command,
        "command_source": mark.source,
        "command_type": mark.type,
        "topic": mark.topic,
        "partition": mark.partition,
        "offset": mark.offset,
        "time": mark.time,
        "outcome": outcome.value,
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "reason": None,
        "detail": None,
        "state": end.state.value,
        "closed_at": rfc3339(end.closed_ms),
        "failure": end.failure and end.failure.model_dump(),
    }
    # The result goes on as it was returned: parsed and written again, its numbers could change.
    text = pydantic_core.to_json(data)[:-1] + b',"result":' + (end.result or b"null") + b"}"
    return event.record(
        topic=topic,
        key=mark.command,
        event_id=ids.text("reply", mark.source, mark.command, outcome, *coordinates),
        source=f"/bridge/{mark.group}",
        type=outcome.event_type,
        subject=run.workflow_id,
        time=mark.time,
        timestamp_ms=end.closed_ms,
        data=text,
        cause=Cause(mark.command, mark.correlationid, mark.traceparent, mark.tracestate, mark.span),
    )


def cause(content: Command | BadRecord, source: str, command_id: str) -> Cause:
    """Return what the events that follow from a record tell of it."""
    traceparent = content.traceparent or tracecontext.begun(ids.text("request", source, command_id))
    return Cause(command_id, content.correlation_id or command_id, traceparent, content.tracestate, content.span)

"""The answer to a command record: the same bytes whenever it is made again."""

from bridge import tracecontext
from bridge.command import BadRecord, Command, rfc3339
from bridge.outcome import Accepted, DeadLettered, Duplicate, Rejected, Settled
from bridge.outcomes import event
from bridge.outcomes.event import Cause, OutRecord
from topics import ids, tables
from topics.replies import Reply, ReplyOutcome


def reply(content: Command | BadRecord, settled: Settled, group: str) -> OutRecord | None:
    """Return the reply, or None where no command id could be read."""
    identity = content.identity
    if identity is None:
        return None
    record = content.record
    outcome = _outcome(settled)
    event_id = ids.text(
        "reply", identity.source, identity.id, outcome.value, record.topic, record.partition, record.offset
    )
    workflow_id = content.workflow_id if isinstance(content, Command) else None
    data = Reply(
        command_id=identity.id,
        command_source=identity.source,
        command_type=identity.type,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        time=rfc3339(record.timestamp_ms),
        outcome=outcome,
        workflow_id=workflow_id,
        run_id=None if isinstance(settled, DeadLettered) else settled.run_id,
        reason=settled.reason.value if isinstance(settled, Rejected | DeadLettered) else None,
        detail=settled.detail if isinstance(settled, Rejected | DeadLettered) else None,
    )
    return event.record(
        topic=content.reply_to or tables.REPLIES_TOPIC,
        key=identity.id,
        event_id=event_id,
        source=f"/bridge/{group}",
        type=outcome.event_type,
        subject=workflow_id,
        time=data.time,
        timestamp_ms=record.timestamp_ms,
        data=data.json_bytes(),
        cause=cause(content, identity.source, identity.id),
    )


def cause(content: Command | BadRecord, source: str, command_id: str) -> Cause:
    """Return what the events that follow from a record tell of it."""
    traceparent = content.traceparent or tracecontext.begun(ids.text("request", source, command_id))
    return Cause(
        command_id=command_id,
        correlation_id=content.correlation_id or command_id,
        traceparent=traceparent,
        tracestate=content.tracestate,
    )


def _outcome(settled: Settled) -> ReplyOutcome:
    match settled:
        case Accepted():
            return ReplyOutcome.ACCEPTED
        case Duplicate():
            return ReplyOutcome.DUPLICATE
        case Rejected() | DeadLettered():
            return ReplyOutcome.REJECTED

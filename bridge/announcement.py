"""What is written once a command is settled: its dead letter, its run's start, who waits for the end, its answer."""

from datetime import UTC, datetime

from bridge import mark
from bridge.command import BadRecord, Command
from bridge.deadletter import record as deadletter
from bridge.outcome import Accepted, DeadLettered, Duplicate, Rejected, Settled
from bridge.outcomes import lifecycle, replies, watch
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import RunFacts
from bridge.outcomes.watch import Watch
from bridge.routes import Replies, Verb


def records(
    content: Command | BadRecord, settled: Settled, *, group: str, namespace: str, attempts: int
) -> list[OutRecord]:
    """Return the records to write, in that order; `attempts` counts how often the command was tried."""
    found: list[OutRecord] = []
    if isinstance(settled, DeadLettered):
        letter = deadletter.dead_letter(
            content.record, settled.reason, settled.detail, group=group, attempts=attempts, failed_at=datetime.now(UTC)
        )
        found.append(letter)
    elif isinstance(content, Command) and isinstance(settled, Accepted | Rejected) and settled.began:
        lifecycle_topic, run_id = content.route.lifecycle, settled.run_id
        if lifecycle_topic and run_id:
            found.append(_started(content, run_id, lifecycle_topic, group, namespace))
    if isinstance(content, Command) and isinstance(settled, Accepted | Duplicate):
        found += _asked_later(content, settled, group, namespace)
    if _is_answered(content, settled) and (reply := replies.reply(content, settled, group)):
        found.append(reply)
    return found


def _is_answered(content: Command | BadRecord, settled: Settled) -> bool:
    if isinstance(content, BadRecord) and not content.is_answered:
        return False
    wanted = content.route.replies if content.route is not None else Replies.ALL
    return wanted is Replies.ALL or (wanted is Replies.REJECTED and isinstance(settled, Rejected | DeadLettered))


def _asked_later(command: Command, settled: Accepted | Duplicate, group: str, namespace: str) -> list[OutRecord]:
    """Return what lets the feed's owner answer a second time, where the run's own mark does not ask for that.

    The run was begun by another command then, or by another record of this one, whose coordinates are not these.
    """
    topic = command.done_to
    is_marked = command.route.verb is Verb.START and isinstance(settled, Accepted)
    if topic is None or is_marked or settled.run_id is None:  # a run that is not known cannot be looked after
        return []
    asked = Watch(
        mark.of(command, group), namespace, command.workflow_id, settled.run_id, announce=False, reply_topic=topic
    )
    return [watch.record(asked, group)]


def _started(command: Command, run_id: str, topic: str, group: str, namespace: str) -> OutRecord:
    route = command.route
    run = RunFacts(
        namespace=namespace,
        workflow_id=command.workflow_id,
        run_id=run_id,
        first_run_id=run_id,
        workflow_type=route.workflow or "",
        task_queue=route.task_queue or "",
    )
    return lifecycle.started(mark.of(command, group), run, topic)

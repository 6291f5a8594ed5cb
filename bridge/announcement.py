"""What is written once a command is settled: its dead letter, its run's start, who waits for the end, its answer."""

from datetime import UTC, datetime

from bridge import mark
from bridge.command import BadRecord, Command
from bridge.deadletter import record as deadletter
from bridge.feed import watch
from bridge.feed.watch import Watch
from bridge.outcome import Accepted, DeadLettered, Duplicate, Rejected, Settled
from bridge.outcomes import lifecycle, replies
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import RunFacts
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
    elif isinstance(content, Command):
        if not isinstance(settled, Duplicate) and settled.began:
            lifecycle_topic, run_id = content.route.lifecycle, settled.run_id
            if lifecycle_topic and run_id:
                found.append(_started(content, run_id, lifecycle_topic, group, namespace))
        if not isinstance(settled, Rejected):
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
    """Return what lets the feed's owner look after the run that was reached, where the run's own mark does not do.

    Somebody else began it then, and it must be announced; or another command, or another record of this one, whose
    coordinates are not these, and its end must be answered a second time.
    """
    is_marked = command.route.verb is Verb.START and isinstance(settled, Accepted)
    topic = None if is_marked else command.done_to
    announce = isinstance(settled, Accepted) and settled.of_others and bool(command.route.lifecycle)
    if settled.run_id is None or not (topic or announce):  # a run that is not known cannot be looked after
        return []
    run = (namespace, command.workflow_id, settled.run_id)
    asked = Watch(mark.of(command, group), *run, announce=announce, reply_topic=topic)
    return [watch.record(asked, group)]


def _started(command: Command, run_id: str, topic: str, group: str, namespace: str) -> OutRecord:
    route = command.route
    run = RunFacts(namespace, command.workflow_id, run_id, run_id, route.workflow or "", route.task_queue or "")
    return lifecycle.begun(command, group, run, topic)

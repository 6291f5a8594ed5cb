"""What is written once a command is settled: its dead letter, the start of its run, its answer."""

from datetime import UTC, datetime

from bridge import mark
from bridge.command import BadRecord, Command
from bridge.deadletter import record as deadletter
from bridge.outcome import Accepted, DeadLettered, Rejected, Settled
from bridge.outcomes import lifecycle, replies
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import RunFacts
from bridge.routes import Replies, Route


def records(
    content: Command | BadRecord, settled: Settled, *, group: str, namespace: str, attempts: int
) -> list[OutRecord]:
    """Return the records to write, in that order; `attempts` counts how often the command was tried."""
    found: list[OutRecord | None] = []
    if isinstance(settled, DeadLettered):
        found.append(
            deadletter.dead_letter(
                content.record,
                settled.reason,
                settled.detail,
                group=group,
                attempts=attempts,
                failed_at=datetime.now(UTC),
            )
        )
    if isinstance(settled, Accepted | Rejected) and settled.began and isinstance(content, Command) and settled.run_id:
        found.append(_started(content, settled.run_id, group, namespace))
    if _is_answered(content.route, settled):
        found.append(replies.reply(content, settled, group))
    return [record for record in found if record is not None]


def _is_answered(route: Route | None, settled: Settled) -> bool:
    wanted = route.replies if route is not None else Replies.ALL
    bad = isinstance(settled, Rejected | DeadLettered)
    return wanted is Replies.ALL or (wanted is Replies.REJECTED and bad)


def _started(command: Command, run_id: str, group: str, namespace: str) -> OutRecord | None:
    route = command.route
    if not route.lifecycle:
        return None
    run = RunFacts(
        namespace=namespace,
        workflow_id=command.workflow_id,
        run_id=run_id,
        first_run_id=run_id,
        workflow_type=route.workflow or "",
        task_queue=route.task_queue or "",
    )
    return lifecycle.started(mark.of(command, group), run, route.lifecycle)

"""What tells of a command: each finding as a clue. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge import bounds, tracecontext
from bridge.command import REPLAYS_HEADER, BadRecord, Command, Record
from bridge.deadletter.letter import Letter
from bridge.intake import jsontext
from bridge.lookup.past import Came
from bridge.lookup.question import Place, Question
from bridge.lookup.runs import RunFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """One finding. `place` and `time_ms` are of the command's record; without a place the time is about when.

    `run` is namespace, workflow id and run id of the run that the command began or reached; `took` tells that the run's
    history has it.
    """

    id: str
    source: str
    type: str = ""
    place: Place | None = None
    time_ms: int | None = None
    workflow_id: str | None = None
    run: tuple[str, str, str] | None = None
    began: bool = False
    took: bool = False
    trace_id: str | None = None
    key: bytes | None = None
    replays: int = 0
    asks_done: bool = False


def of_run(run: RunFound) -> Clue | None:
    """Return what a run's mark tells of the command that began it."""
    mark = run.mark
    if mark is None or not mark.command:
        return None
    return Clue(
        id=mark.command,
        source=mark.source,
        type=mark.type,
        place=(mark.topic, mark.partition, mark.offset),
        time_ms=mark.recorded_ms,
        workflow_id=run.workflow_id,
        run=(run.namespace, run.workflow_id, run.first_run_id),
        began=True,
        trace_id=tracecontext.trace_id(mark.traceparent),
        asks_done=mark.done is not None,
    )


def of_history(came: Came, run: RunFound) -> Clue | None:
    """Return what a run's history tells of a command; None where that is a request id alone."""
    if not came.id:
        return None
    where = (run.namespace, run.workflow_id, run.run_id)
    return Clue(
        id=came.id,
        source=came.source,
        type=came.type,
        time_ms=came.at_ms,
        workflow_id=run.workflow_id,
        run=where,
        took=True,
        trace_id=came.trace_id,
    )


def of_reply(record: Record, namespace: str) -> Clue | None:
    """Return what a reply tells; None where the record is none."""
    data = data_of(record)
    texts = [data.get(name) for name in ("command_id", "command_source", "topic", "time")]
    numbers = [data.get(name) for name in ("partition", "offset")]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(number, int) for number in numbers):
        return None
    command_id, source, topic, time = map(str, texts)
    workflow_id, run_id = data.get("workflow_id"), data.get("run_id")
    parent = (record.header("traceparent") or b"").decode(errors="replace").split("-")
    return Clue(
        id=command_id,
        source=source,
        type=str(data.get("command_type") or ""),
        place=(topic, int(numbers[0]), int(numbers[1])),  # type: ignore[arg-type]  # both are checked above
        time_ms=bounds.milliseconds(time) if bounds.is_time(time) else None,
        workflow_id=workflow_id if isinstance(workflow_id, str) else None,
        run=(namespace, workflow_id, run_id) if isinstance(workflow_id, str) and isinstance(run_id, str) else None,
        trace_id=parent[1] if len(parent) == 4 else None,
    )


def of_record(content: Command | BadRecord) -> Clue | None:
    """Return what a command's own record tells; None where no id could be read."""
    record, identity = content.record, content.identity
    if identity is None:
        return None
    text = (record.header(REPLAYS_HEADER) or b"").decode(errors="replace")
    parent = content.traceparent
    return Clue(
        id=identity.id,
        source=identity.source,
        type=identity.type,
        place=(record.topic, record.partition, record.offset),
        time_ms=record.timestamp_ms,
        workflow_id=content.workflow_id if isinstance(content, Command) else None,
        trace_id=tracecontext.trace_id(parent) if parent is not None else None,
        key=record.key,
        replays=int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0,
        asks_done=isinstance(content, Command) and content.done_to is not None,
    )


def of_letter(letter: Letter) -> Clue | None:
    """Return what a dead letter tells of its command; None where it tells no id, or no place."""
    if letter.origin is None:
        return None
    time = letter.origin.timestamp
    is_bare = letter.id is None  # bare JSON has its id from where it lay
    if not bounds.is_time(time):
        return None
    milliseconds = bounds.milliseconds(time)
    topic, partition, offset = letter.origin.place
    return Clue(
        id=letter.id or f"{topic}/{partition}/{offset}@{milliseconds}",
        source=f"/kafka/{topic}" if is_bare else letter.source or "",
        type=letter.type or (topic if is_bare else ""),
        place=letter.origin.place,
        time_ms=milliseconds,
        key=letter.key,
    )


def meant(clue: Clue, question: Question) -> bool:
    """Return whether the question is about the clue's command."""
    return (
        question.text == clue.id
        or (question.trace_id is not None and question.trace_id == clue.trace_id)
        or clue.workflow_id in question.workflow_ids
        or (question.place is not None and question.place == clue.place)
        or clue.key == question.text.encode()
    )


def ids_named(record: Record) -> Iterator[str]:
    """Yield the command that an event of ours names as its cause."""
    cause = record.header("ce_causationid")
    if cause:
        yield cause.decode(errors="replace")


def data_of(record: Record) -> dict[str, Any]:
    """Return the data of an event of ours; nothing where they are no JSON object."""
    try:
        data = jsontext.parse(record.value or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}

"""What was found of one command, and the account that is given of it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bridge.command import Record, rfc3339
from bridge.deadletter.handled import State as Handled
from bridge.deadletter.letter import Letter, named
from bridge.lookup import clue, row
from bridge.lookup.case import Case
from bridge.lookup.question import Place
from bridge.lookup.reader import Looked
from bridge.lookup.runs import RunFound
from bridge.routes import Route
from topics.lifecycle import State
from topics.replies import ReplyOutcome

_BEST_FIRST: Mapping[str, int] = MappingProxyType(
    {ReplyOutcome.ACCEPTED: 0, ReplyOutcome.DUPLICATE: 1, ReplyOutcome.REJECTED: 2}
)


@dataclass(slots=True)
class Findings:
    """All that was found of one command. `runs` are the run that it began or reached, and those that continued it.

    `against` is the run of its workflow id that stood in the way, where it reached none.
    """

    case: Case
    route: Route | None = None
    replies: Sequence[Record] = ()
    runs: Sequence[RunFound] = ()
    against: RunFound | None = None
    events: Sequence[Record] = ()
    lifecycle: Sequence[Record] = ()
    letters: Sequence[tuple[Letter, Record, Handled]] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def answer(self) -> dict[str, Any]:
        """The data of the reply that counts: the best one, as a command that comes again has no second effect."""
        told = [data for record in self.replies if (data := clue.data_of(record)).get("outcome") in _BEST_FIRST]
        return min(told, key=lambda data: _BEST_FIRST[data["outcome"]], default={})

    @property
    def outcome(self) -> str | None:
        """What was decided; runs tell too, where nobody is answered."""
        told = self.answer.get("outcome")
        if told in {ReplyOutcome.ACCEPTED, ReplyOutcome.DUPLICATE}:
            return str(told)
        if self.case.took or self.case.began_from - self._refused():
            return ReplyOutcome.ACCEPTED.value
        return ReplyOutcome.REJECTED.value if told is None and self.letters else told

    @property
    def is_in_effect(self) -> bool:
        """Whether it is known to have its effect."""
        return self.outcome in {ReplyOutcome.ACCEPTED, ReplyOutcome.DUPLICATE}

    def _refused(self) -> set[Place]:
        told = [each for record in self.replies if (each := clue.of_reply(record, "")) is not None]
        return {each.place for each in told if each.place is not None}

    @property
    def reason(self) -> str | None:
        """Why it was rejected, if it was."""
        reason = self.answer.get("reason") if self.outcome == ReplyOutcome.REJECTED else None
        return self.letters[-1][0].reason if self._is_told_by_letters else reason

    @property
    def detail(self) -> str | None:
        """The reason in words."""
        detail = self.answer.get("detail") if self.outcome == ReplyOutcome.REJECTED else None
        return self.letters[-1][0].detail if self._is_told_by_letters else detail

    @property
    def _is_told_by_letters(self) -> bool:
        return bool(self.letters) and not self.answer and self.outcome == ReplyOutcome.REJECTED

    @property
    def state(self) -> str | None:
        """How the run is now that it began or reached, or that its answer names."""
        run = self.runs[0] if self.runs else None
        if run is None and self.against is not None and self.against.run_id == self.answer.get("run_id"):
            run = self.against
        return run.state if run is not None else self._announced()

    def _announced(self) -> str | None:
        """Return the state that the last lifecycle event tells, where Temporal has forgotten the run."""
        told = [clue.data_of(record).get("state") for record in self.lifecycle]
        ends = [state for state in told if state in set(State) and state != State.STARTED]
        return ends[-1] if ends else None


def account(query: str, found: Findings, looked: Sequence[Looked], links: Mapping[str, str]) -> dict[str, Any]:
    """Return the account of a command: the contract's fields first, then what else is known."""
    case, arrivals = found.case, found.case.arrivals
    topic, partition, offset = arrivals[0].place if arrivals and arrivals[0].place else (None, None, None)
    answer = found.answer
    run = found.runs[0] if found.runs else None
    run_id = run.run_id if run else answer.get("run_id")
    return {
        "query": query,
        "command": {
            "id": case.id or None,
            "source": case.source or None,
            "type": case.first("type"),
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "time": None if case.time_ms is None else rfc3339(case.time_ms),
        },
        "outcome": found.outcome,
        "workflow": {
            "workflow_id": run.workflow_id if run else answer.get("workflow_id") or case.first("workflow_id"),
            "run_id": run_id,
            "state": found.state,
        },
        "events": [row.shown(record) for record in found.events],
        "lifecycle": [row.shown(record) for record in found.lifecycle],
        "replies": [row.shown(record) for record in found.replies],
        "dead_letters": [_letter(*each) for each in found.letters],
        "reason": found.reason,
        "detail": found.detail,
        "against": _run(found.against) if found.against else None,
        "route": _route(found.route),
        "arrivals": [
            {"place": named(each.place), "time": _time(each.time_ms), "replays": each.replays}
            for each in arrivals
            if each.place is not None
        ],
        "runs": [_run(each) for each in found.runs],
        "trace_id": case.first("trace_id"),
        "links": dict(links),
        "notes": list(found.notes),
        "looked": looks(looked),
    }


def _letter(letter: Letter, record: Record, state: Handled) -> dict[str, Any]:
    return {
        **row.shown(record),
        "reason": letter.reason,
        "detail": letter.detail,
        "original": named(letter.origin.place) if letter.origin else None,
        "replays": letter.replays,
        "state": state.value,
    }


def _run(run: RunFound) -> dict[str, Any]:
    return {
        "namespace": run.namespace,
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "workflow_type": run.workflow_type,
        "task_queue": run.task_queue,
        "state": run.state,
        "started_at": _time(run.started_ms),
        "closed_at": _time(run.closed_ms or None),
        "new_run_id": run.new_run_id,
        "failure": run.failure.model_dump() if run.failure else None,
        "waits": list(run.waits),
    }


def _route(route: Route | None) -> dict[str, Any] | None:
    if route is None:
        return None
    return {
        "command": route.command,
        "topic": route.topic,
        "verb": route.verb.value,
        "workflow": route.workflow,
        "task_queue": route.task_queue,
        "signal": route.signal,
        "update": route.update,
    }


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else rfc3339(milliseconds)


def looks(looked: Collection[Looked]) -> list[dict[str, Any]]:
    """Return where was looked, as it is told."""
    return [{"where": each.where, "how": each.how, "records": each.records, "found": each.found} for each in looked]

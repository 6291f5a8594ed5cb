"""What each outcome event tells, in a line, and what its data hold for certain beside what its model says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from topics import tables
from topics.lifecycle import State
from topics.replies import DeadLetterReason, RejectReason, ReplyOutcome

Schema = dict[str, Any]

_STATES: Mapping[State, str] = MappingProxyType(
    {
        State.STARTED: "A run began.",
        State.COMPLETED: "The workflow returned.",
        State.FAILED: "The workflow failed; `failure` has the deepest cause.",
        State.CANCELLED: "The workflow was asked to cancel, and ended so.",
        State.TERMINATED: "Somebody, or the server, ended the run without asking its workflow.",
        State.TIMED_OUT: "The run, or its chain of runs, took longer than it was given.",
        State.CONTINUED_AS_NEW: "The workflow goes on in another run, `new_run_id`, with a history of its own.",
    }
)
_REPLIES: Mapping[ReplyOutcome, str] = MappingProxyType(
    {
        ReplyOutcome.ACCEPTED: "The command is in effect.",
        ReplyOutcome.DUPLICATE: "The command was in effect already, by another record.",
        ReplyOutcome.REJECTED: "The command has no effect; `reason` says why.",
        ReplyOutcome.DONE: "The chain of runs that the command began or reached has ended.",
    }
)
_LIFECYCLE: Mapping[State, Schema] = MappingProxyType(
    {
        State.FAILED: {"failure": {"type": "object"}},
        State.CONTINUED_AS_NEW: {"new_run_id": {"type": "string"}},
    }
)
REASONS: tuple[str, ...] = (*RejectReason, *DeadLetterReason)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A type of event: what it tells, and the schemas of the fields that are narrower for it than for its model."""

    summary: str
    narrower: Mapping[str, Schema] = field(default_factory=dict)


def _state(state: State) -> Outcome:
    return Outcome(_STATES[state], {"state": {"const": state.value}, **_LIFECYCLE.get(state, {})})


def _reply(outcome: ReplyOutcome) -> Outcome:
    reason = {"enum": list(REASONS)} if outcome is ReplyOutcome.REJECTED else {"type": "null"}
    return Outcome(_REPLIES[outcome], {"outcome": {"const": outcome.value}, "reason": reason})


OUTCOMES: Mapping[str, Outcome] = MappingProxyType(
    {
        **{state.event_type: _state(state) for state in State},
        **{outcome.event_type: _reply(outcome) for outcome in ReplyOutcome},
        **{name: Outcome(" ".join((event.model.__doc__ or "").split())) for name, event in tables.EVENTS.items()},
    }
)
"""Every outcome event by its CloudEvents type; dead letters are records of others, and no events."""

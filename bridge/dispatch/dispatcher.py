"""Carry out a command: pick its verb's sequence, and turn Temporal's refusal into a dead letter."""

from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Protocol

from bridge.command import Command
from bridge.dispatch.cancel import cancel
from bridge.dispatch.failures import RefusedByTemporalError
from bridge.dispatch.signal import signal, signal_with_start
from bridge.dispatch.start import start
from bridge.dispatch.temporal import Temporal
from bridge.dispatch.terminate import terminate
from bridge.dispatch.update import update
from bridge.outcome import DeadLettered, Outcome
from bridge.routes import Missing, Route, Verb
from topics.replies import DeadLetterReason


class Sequence(Protocol):
    """What each verb does; `fresh` tells that the command cannot have been handled before."""

    def __call__(self, temporal: Temporal, command: Command, *, fresh: bool) -> Awaitable[Outcome]: ...


SEQUENCES: Mapping[Verb, Sequence] = MappingProxyType(
    {
        Verb.START: start,
        Verb.SIGNAL: signal,
        Verb.SIGNAL_WITH_START: signal_with_start,
        Verb.UPDATE: update,
        Verb.CANCEL: cancel,
        Verb.TERMINATE: terminate,
    }
)


def _sequence(route: Route) -> Sequence:
    if route.verb is Verb.SIGNAL and route.missing is Missing.START:
        return signal_with_start
    return SEQUENCES[route.verb]


async def dispatch(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:
    """Return what became of the command; raises `TemporalAwayError` or `ConfigurationError` where nothing is known."""
    try:
        return await _sequence(command.route)(temporal, command, fresh=fresh)
    except RefusedByTemporalError as error:
        return DeadLettered(DeadLetterReason.REFUSED_BY_TEMPORAL, str(error))

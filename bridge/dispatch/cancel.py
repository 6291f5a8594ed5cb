"""The verb cancel: one cancel request a command identity."""

from bridge.command import Command
from bridge.dispatch import ending
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Outcome


async def cancel(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:  # noqa: ARG001 - all verbs' shape
    """Ask the latest chain of runs to cancel."""
    return await ending.end(temporal, command, temporal.cancel)

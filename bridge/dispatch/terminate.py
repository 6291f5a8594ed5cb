"""The verb terminate: one termination a command identity. The workflow is not asked."""

from bridge.command import Command
from bridge.dispatch import ending
from bridge.dispatch.temporal import Temporal
from bridge.outcome import Outcome


async def terminate(temporal: Temporal, command: Command, *, fresh: bool) -> Outcome:  # noqa: ARG001 - all verbs' shape
    """Terminate the latest run of the latest chain."""
    return await ending.end(temporal, command, temporal.terminate)

"""What the feed's owner does in one namespace, time and again: the sweep, then the watches."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client

from bridge.dispatch.callbackmode import CallbackMode
from bridge.outcomes.announced import Announced
from bridge.outcomes.asking import Asking
from bridge.outcomes.ends import Ends
from bridge.outcomes.leaving import Leaving
from bridge.outcomes.lookout import Lookout
from bridge.outcomes.lookup import Lookup
from bridge.outcomes.ownership import Ownership
from bridge.outcomes.sweep import HandledCommands, Sweep
from bridge.outcomes.visibility import Visibility
from bridge.routes import Routes
from bridge.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Patrol:
    """The sweep of a namespace, and the lookout for the runs that no sweep finds."""

    sweep: Sweep
    lookout: Lookout

    async def go(self, overlap: timedelta, began_ms: int) -> bool:
        """Announce and answer all that is due; return whether an end still waits. Raises as the sweep does."""
        waiting = await self.sweep.sweep(overlap)
        if not waiting:
            await self.sweep.keep_up(began_ms)
        await self.lookout.look()
        return waiting


def of(
    client: Client,
    group: str,
    routes: Routes,
    reply_topics: Collection[str],
    ownership: Ownership,
    announced: Announced,
    has_handled: HandledCommands,
    metrics: Metrics,
    callbacks: CallbackMode,
) -> Patrol:
    """Return the patrol of a client's namespace."""
    asking = Asking(client)
    lookup = Lookup(Ends(asking, group), routes, group, reply_topics)
    leaving = Leaving(callbacks, routes)
    sweep = Sweep(lookup, Visibility(asking, group), ownership, announced, has_handled, metrics, leaving)
    return Patrol(sweep, Lookout(lookup, ownership, announced, group, metrics))

"""What the feed's owner does in one namespace, time and again: the sweep, a second look, then the watches."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client

from bridge.dispatch.callbackmode import CallbackMode
from bridge.feed import clock, retention
from bridge.feed.announced import Announced
from bridge.feed.asking import Asking
from bridge.feed.ends import Ends
from bridge.feed.leaving import Leaving
from bridge.feed.lookout import Lookout
from bridge.feed.lookup import Lookup
from bridge.feed.ownership import Ownership
from bridge.feed.secondlook import SecondLook
from bridge.feed.sweep import HandledCommands, Sweep
from bridge.feed.visibility import Visibility
from bridge.feed.windows import ROWS_MAX, Windows
from bridge.routes import Routes
from bridge.telemetry.metrics import Metrics

BUSY = 500  # ends in a sweep: then the next comes at once, as what closes meanwhile must not wait for so many


@dataclass(frozen=True, slots=True)
class Patrol:
    """The sweep of a namespace, its second look, and the lookout for the runs that no sweep finds."""

    asking: Asking
    sweep: Sweep
    lookout: Lookout
    second_look: SecondLook
    metrics: Metrics

    async def begin(self) -> None:
        """Note that this process has become the owner of the feed."""
        now_ms = clock.now_ms()
        self.second_look.begin(now_ms)
        await retention.check(self.asking, self.sweep.watermark_ms, now_ms, self.metrics)

    async def go(self, overlap: timedelta, began_ms: int) -> bool:
        """Announce and answer all that is due; return whether more is due soon. Raises as the sweep does."""
        waiting = await self.sweep.sweep(overlap)
        busy = self.sweep.told >= BUSY
        if not waiting:
            await self.sweep.keep_up(began_ms)
            waiting = await self._look_again()
        await self.lookout.look()
        return waiting or busy

    async def _look_again(self) -> bool:
        due = self.second_look.due(clock.now_ms(), self.sweep.watermark_ms)
        if due is None:
            return False
        waiting = await self.sweep.sweep_between(*due)
        if not waiting:
            self.second_look.done(due[1])
        return waiting

    def untold_seconds(self) -> float:
        """Return the age of the oldest end that is known and not announced; 0 where there is none."""
        oldest_ms = self.sweep.oldest_untold_ms
        return (clock.now_ms() - oldest_ms) / 1000 if oldest_ms is not None else 0.0


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
    rows_max: int = ROWS_MAX,
) -> Patrol:
    """Return the patrol of a client's namespace, which holds no more closed runs at once than `rows_max`."""
    asking = Asking(client)
    leaving = Leaving(callbacks, routes)
    lookup = Lookup(Ends(asking, group), routes, group, reply_topics, leaving.note)
    sweep = Sweep(
        lookup, Windows(Visibility(asking, group), rows_max), ownership, announced, has_handled, metrics, leaving
    )
    lookout = Lookout(lookup, ownership, announced, group, metrics)
    return Patrol(asking, sweep, lookout, SecondLook(), metrics)

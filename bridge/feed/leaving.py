"""Which ends the sweep leaves to callbacks for a while, so that each is written once."""

from collections.abc import Sequence
from datetime import timedelta

from bridge.dispatch.callbackmode import CallbackMode
from bridge.feed import clock
from bridge.feed.closing import Closing
from bridge.feed.visibility import ClosedRun
from bridge.routes import Routes
from topics.lifecycle import State

MISSED_WITHIN = timedelta(minutes=1)  # older ends were not told because nobody was there to be called


class Leaving:
    """Judges the closed runs of one namespace; tells the mode what it sees."""

    def __init__(self, mode: CallbackMode, routes: Routes) -> None:
        self._mode = mode
        self._routes = routes
        self._looked_ms = clock.now_ms()
        self._left_for_ms = 0
        self._begun_by_commands: set[str] = set()

    def taken(self, unknown: Sequence[ClosedRun]) -> list[ClosedRun]:
        """Return those that the sweep is to announce now; what follows a run that is left is left with it."""
        self._begun_by_commands.clear()
        # Once for all that is decided from here on: the mode may change meanwhile.
        self._looked_ms, self._left_for_ms = clock.now_ms(), clock.ms(self._mode.left_for)
        left: set[str] = set()
        found = []
        for run in unknown:
            if run.workflow_id in left or self._is_left(run):
                left.add(run.workflow_id)
            else:
                found.append(run)
        return found

    def until_ms(self, closed_ms: int) -> int:
        """Return how far the watermark may go at most, for what is left to be found again."""
        return min(closed_ms, self._looked_ms - self._left_for_ms) if self._left_for_ms else closed_ms

    def note(self, closing: Closing) -> None:
        """Note what was read of a run that is to be announced: its row does not tell all."""
        if closing.is_plain and closing.is_begun_by_command:
            self._begun_by_commands.add(closing.begun.facts.run_id)

    def learn(self, closed: Sequence[ClosedRun], unknown: Sequence[ClosedRun], announced: Sequence[ClosedRun]) -> None:
        """Let the mode know whether callbacks come: of what has closed, what was unknown, and what the sweep told."""
        if not self._left_for_ms:
            return
        new = {run.run_id for run in unknown}
        if any(self._is_left(run) for run in closed if run.run_id not in new):
            self._mode.told()
        for run in announced:
            is_fresh = self._age_ms(run) < clock.ms(MISSED_WITHIN)
            if is_fresh and run.run_id in self._begun_by_commands and self._is_called_back(run):
                self._mode.missed()

    def _is_left(self, run: ClosedRun) -> bool:
        return self._age_ms(run) < self._left_for_ms and self._is_called_back(run)

    def _is_called_back(self, run: ClosedRun) -> bool:
        """Return whether a callback goes with the run, as far as its row tells: not where a run only continues."""
        if run.state is State.CONTINUED_AS_NEW or run.is_offspring:
            return False
        mark = run.mark
        route = self._routes.for_command(mark.route) if mark is not None else None
        return route is not None and route.is_called_back and bool(route.lifecycle)

    def _age_ms(self, run: ClosedRun) -> int:
        return self._looked_ms - run.closed_ms

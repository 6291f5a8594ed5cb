"""Which ends the sweep leaves to callbacks for a while, so that each is written once."""

import time
from collections.abc import Sequence
from datetime import timedelta

from bridge.dispatch.callbackmode import CallbackMode
from bridge.feed.visibility import ClosedRun
from bridge.routes import Routes, Verb
from topics.lifecycle import State

LEFT_FOR = timedelta(seconds=10)
MISSED_WITHIN = timedelta(minutes=1)  # older ends were not told because nobody was there to be called


class Leaving:
    """Judges the closed runs of one namespace; tells the mode what it sees."""

    def __init__(self, mode: CallbackMode, routes: Routes) -> None:
        self._mode = mode
        self._routes = routes

    def taken(self, unknown: Sequence[ClosedRun]) -> list[ClosedRun]:
        """Return those that the sweep is to announce now; what follows a run that is left is left with it."""
        if not self._mode.tells_ends:
            return list(unknown)
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
        return min(closed_ms, _now_ms() - _ms(LEFT_FOR)) if self._mode.tells_ends else closed_ms

    def learn(self, closed: Sequence[ClosedRun], unknown: Sequence[ClosedRun], announced: Sequence[ClosedRun]) -> None:
        """Let the mode know whether callbacks come: of what has closed, what was unknown, and what the sweep told."""
        if not self._mode.tells_ends:
            return
        new = {run.run_id for run in unknown}
        if any(self._is_left(run) for run in closed if run.run_id not in new):
            self._mode.told()
        for run in announced:
            if _age_ms(run) < _ms(MISSED_WITHIN) and self._is_called_back(run):
                self._mode.missed()

    def _is_left(self, run: ClosedRun) -> bool:
        return _age_ms(run) < _ms(LEFT_FOR) and self._is_called_back(run)

    def _is_called_back(self, run: ClosedRun) -> bool:
        """Return whether a callback goes with the run, by its route: not where a run only continues."""
        mark = run.mark if run.state is not State.CONTINUED_AS_NEW else None
        route = self._routes.for_command(mark.route) if mark is not None else None
        return route is not None and route.verb is Verb.START and bool(route.lifecycle)


def _age_ms(run: ClosedRun) -> int:
    return _now_ms() - run.closed_ms


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _now_ms() -> int:
    return int(time.time() * 1000)

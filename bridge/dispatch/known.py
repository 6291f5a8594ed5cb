"""Runs that this process has met before, so that it looks at each of them once."""

import itertools

RUNS_MAX = 50_000  # ids, about 100 B each


class KnownRuns:
    """Run ids, bounded: what is forgotten, the older half at a time, is looked at once more."""

    def __init__(self, runs_max: int = RUNS_MAX) -> None:
        self._runs: dict[str, None] = {}  # in the order in which they were met
        self._max = runs_max

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def add(self, run_id: str) -> None:
        """Note a run."""
        if len(self._runs) >= self._max:
            self._runs = dict.fromkeys(itertools.islice(self._runs, self._max // 2, None))
        self._runs[run_id] = None

"""What this process has learned of runs, so that it asks Temporal about each of them once."""

import itertools

RUNS_MAX = 50_000  # ids, about 100 B each


class KnownRuns:
    """Run ids, each with a number, bounded: what is forgotten, the older half at a time, is asked once more."""

    def __init__(self, runs_max: int = RUNS_MAX) -> None:
        self._runs: dict[str, int] = {}  # in the order in which they were met
        self._max = runs_max

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def get(self, run_id: str) -> int | None:
        """Return the number that was noted of a run."""
        return self._runs.get(run_id)

    def add(self, run_id: str, number: int = 0) -> None:
        """Note a run."""
        if len(self._runs) >= self._max:
            self._runs = dict(itertools.islice(self._runs.items(), self._max // 2, None))
        self._runs[run_id] = number

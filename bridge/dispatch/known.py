"""Runs that this process has met before, so that it looks at each of them once."""

RUNS_MAX = 50_000  # ids, about 100 B each


class KnownRuns:
    """Run ids, bounded: what is forgotten is looked at once more."""

    def __init__(self, runs_max: int = RUNS_MAX) -> None:
        self._runs: set[str] = set()
        self._max = runs_max

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def add(self, run_id: str) -> None:
        """Note a run."""
        if len(self._runs) >= self._max:
            self._runs.clear()
        self._runs.add(run_id)

"""How often values fell between bounds; and, of some of them, in which trace it was."""

from bisect import bisect_left
from typing import NamedTuple


class Exemplar(NamedTuple):
    """A value whose trace is recorded; ids are hex, the time ns since the epoch."""

    value: float
    at_ns: int
    trace_id: str
    span_id: str


class Histogram:
    """How often values fell between bounds, and their sum; `exemplars` has the newest by place in `counts`."""

    __slots__ = ("bounds", "counts", "exemplars", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.exemplars: dict[int, Exemplar] = {}

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def exemplify(self, exemplar: Exemplar) -> None:
        """Note the trace of a value that was counted; where none lies between its bounds, it was not."""
        place = bisect_left(self.bounds, exemplar.value)
        if self.counts[place]:
            self.exemplars[place] = exemplar

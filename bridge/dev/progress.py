"""How far a sample has come: pure, fed with what arrives."""

from collections import Counter
from dataclasses import dataclass, field

from bridge.dev.outcomes import Outcome
from bridge.dev.samples.sample import Sample, Step

# Outcomes that end a sample at once, unless it expects them.
FATAL = frozenset({
    "command.rejected", "command.duplicate", "dead letter",
    "workflow.failed", "workflow.cancelled", "workflow.terminated", "workflow.timed_out",
})  # fmt: skip


@dataclass(slots=True)
class Progress:
    """One sample on its way; times are seconds of the clock that its caller reads."""

    sample: Sample
    began: float
    published: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    last: str = ""
    failure: str = ""
    ended: float | None = None
    _ids: set[str] = field(default_factory=set)

    def due(self) -> Step | None:
        """Return the next command if it may be published now."""
        if self.failure or self.published == len(self.sample.steps):
            return None
        step = self.sample.steps[self.published]
        return step if step.after is None or self.seen[step.after] else None

    def take(self, outcome: Outcome, now: float) -> bool:
        """Count an outcome of this sample; say whether it is news (copies of an event are none)."""
        if outcome.id in self._ids:
            return False
        self._ids.add(outcome.id)
        self.seen[outcome.type] += 1
        self.last = outcome.type
        if outcome.type in FATAL and outcome.type not in self.sample.expected:
            self.failure = f"{outcome.type} ({outcome.detail})" if outcome.detail else outcome.type
        if self.ended is None and (self.failure or not self.missing):
            self.ended = now
        return True

    @property
    def missing(self) -> dict[str, int]:
        """Return the expected events that have not arrived, with their number."""
        counts = {event: count - self.seen[event] for event, count in self.sample.expected.items()}
        return {event: count for event, count in counts.items() if count > 0}

    @property
    def is_done(self) -> bool:
        """Say whether every expected outcome is there."""
        return not self.failure and not self.missing

    @property
    def total(self) -> int:
        """Return how many outcomes are expected."""
        return sum(self.sample.expected.values())

    @property
    def arrived(self) -> int:
        """Return how many of the expected outcomes have arrived."""
        return self.total - sum(self.missing.values())

    @property
    def problem(self) -> str:
        """Say what is wrong with a sample that is not done."""
        if self.failure:
            return self.failure
        lacks = ", ".join(event if count == 1 else f"{count} x {event}" for event, count in self.missing.items())
        return f"missing: {lacks}"

    def elapsed(self, now: float) -> float:
        """Return how long the sample has taken, or has been on its way, in seconds."""
        return (self.ended if self.ended is not None else now) - self.began

"""What one test of a fault counted: a row of the summary."""

from dataclasses import dataclass

from tests.faults import laws
from tests.faults.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts, and seconds; `recovery_seconds` is from the end of the fault until nothing waited, if it had an end."""

    seed: int
    records: int
    redelivered: int
    duplicates: int
    lost: int
    stall_seconds: float
    recovery_seconds: float | None


def of(seed: int, found: Evidence, healed_at_ms: float | None) -> Figures:
    """Count what the evidence holds."""
    return Figures(
        seed=seed,
        records=sum(entry.place is not None for entry in found.entries),
        redelivered=laws.redelivered(found),
        duplicates=len(laws.nothing_doubled(found)),
        lost=len(laws.nothing_lost(found)),
        stall_seconds=laws.longest_stall(found),
        recovery_seconds=None if healed_at_ms is None else laws.recovery(found, healed_at_ms),
    )

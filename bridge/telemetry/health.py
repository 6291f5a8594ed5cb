"""What the process knows of its own condition: told by those who notice, asked by the probes."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.telemetry import logs
from bridge.telemetry.names import Log

log = logs.get(__name__)


class Part(StrEnum):
    """What must be well for the daemon to do its work."""

    INTAKE = "intake"
    TEMPORAL = "temporal"
    KAFKA = "kafka"
    TOPICS = "topics"
    CONFIGURATION = "configuration"
    FEED = "feed"


_GONE = {
    Part.TEMPORAL: Log.TEMPORAL_AWAY,
    Part.KAFKA: Log.KAFKA_AWAY,
    Part.CONFIGURATION: Log.MISCONFIGURED,
    Part.INTAKE: Log.INTAKE_FAILED,
    Part.FEED: Log.FEED_FAILED,
}
_BACK = {Part.TEMPORAL: Log.TEMPORAL_BACK, Part.KAFKA: Log.KAFKA_BACK}


@dataclass(slots=True)
class Health:
    """The problems there are now, by part; none means ready.

    `alerts` are for a person too, by what they are about, but all else goes on. `sources` says what tells of ends, by
    namespace.
    """

    problems: dict[Part, str] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether new commands are carried out."""
        return not self.problems

    def told(self) -> dict[str, Any]:
        """Return how the process is, for programs."""
        return {
            "status": "ready" if self.ready else "not ready",
            "problems": {part.value: problem for part, problem in self.problems.items()},
            "alerts": self.alerts,
            "lifecycle": self.sources,
        }

    @property
    def holds_intake(self) -> bool:
        """Whether a command that is read now could not be carried out anyway."""
        return not self.problems.keys().isdisjoint((Part.TEMPORAL, Part.KAFKA, Part.CONFIGURATION))

    def fails(self, part: Part, problem: str) -> None:
        """Note a problem; it is logged when it begins, not each time (topics that refuse log each for itself)."""
        if part not in self.problems and part in _GONE:
            log.error(_GONE[part], problem=problem)
        self.problems[part] = problem

    def works(self, part: Part) -> None:
        """Note that a part is well."""
        if self.problems.pop(part, None) is not None and part in _BACK:
            log.info(_BACK[part])

"""What makes the intake ready: partitions are held, polls come back, and nothing speaks against the consumer."""

from bridge.intake.taking import Taking
from bridge.telemetry import logs
from bridge.telemetry.health import Health, Part
from bridge.telemetry.names import Log

log = logs.get(__name__)


class Readiness:
    """Lets health hear that the intake works; why it does not is told by what fails, and by who suspects it."""

    def __init__(self, health: Health, taking: Taking) -> None:
        self._health = health
        self._taking = taking
        self._suspicion: str | None = None

    def suspect(self, problem: str | None) -> None:
        """Note what speaks against the consumer although its polls come back; None where nothing does."""
        self._suspicion = problem
        if problem is not None and self._taking.is_on:
            self._health.fails(Part.INTAKE, problem)

    def renew(self) -> None:
        """Forget what spoke against a consumer that is replaced."""
        self._suspicion = None

    def joined(self) -> None:
        """Note that partitions were assigned."""
        # What is in hand tells of these; it went with the last assignment, and what comes with this one tells anew.
        for part in (Part.KAFKA, Part.CONFIGURATION):
            self._health.works(part)
        self.polled()

    def polled(self) -> None:
        """Note that a poll came back."""
        if Part.INTAKE in self._health.problems and self._taking.is_on and self._suspicion is None:
            self._health.works(Part.INTAKE)
            log.info(Log.READY)

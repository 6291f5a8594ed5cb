"""What the admin API can see and do: the whole table of operations, for a daemon that is up or still connects."""

from dataclasses import dataclass

from bridge.admin.inside import Inside
from bridge.admin.pausing import Pausing
from bridge.errors import UnavailableError
from bridge.settings import Settings
from bridge.telemetry.health import Health


@dataclass(slots=True)
class Management:
    """A process and its settings; `inside` and `pausing` are there once the daemon is up."""

    settings: Settings
    health: Health
    inside: Inside | None = None
    pausing: Pausing | None = None

    def up(self) -> Inside:
        """Return the running daemon; raises `UnavailableError` while there is none."""
        if self.inside is None:
            raise UnavailableError("The daemon still connects: see /readyz.")
        return self.inside

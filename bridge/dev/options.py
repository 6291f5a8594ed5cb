"""What `bridge dev` is told on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.dev import ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of `bridge dev`."""

    data: Path
    fresh: bool
    once: bool
    kafka_port: int
    temporal_port: int
    ui_port: int
    admin_port: int
    smtp_port: int

    @property
    def ports(self) -> Mapping[str, int]:
        """Every port by the flag that changes it."""
        return {
            "--kafka-port": self.kafka_port,
            "--temporal-port": self.temporal_port,
            "--ui-port": self.ui_port,
            "--admin-port": self.admin_port,
            "--smtp-port": self.smtp_port,
        }

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return f"{ports.HOST}:{self.kafka_port}"

    @property
    def temporal_address(self) -> str:
        """Temporal's address."""
        return f"{ports.HOST}:{self.temporal_port}"

    @property
    def admin_address(self) -> str:
        """The daemon's address for health, metrics and management."""
        return f"{ports.HOST}:{self.admin_port}"

    @property
    def page_url(self) -> str:
        """The daemon's page."""
        return f"http://{self.admin_address}/"

    @property
    def ui_url(self) -> str:
        """Temporal's UI."""
        return f"http://{ports.HOST}:{self.ui_port}"

    @property
    def smtp_url(self) -> str:
        """The mail sink."""
        return f"smtp://{ports.HOST}:{self.smtp_port}"

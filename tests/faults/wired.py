"""A Kafka with a second listener, whose clients go through a proxy; the first one stays for who watches."""

import dataclasses
from pathlib import Path

import pytest

import bridge.dev.kafka
from bridge.dev import processes
from tests.faults.proxy import Proxy
from tests.servers import ports
from tests.servers.fixtures import Kafka

PUBLISH = "--publish"


class Wired(Kafka):
    """Who connects to `wire.address` is sent back there by the broker, too."""

    def __init__(
        self, guard: processes.Guard, folder: Path, wire: Proxy, protocol: str = "PLAINTEXT", **settings: str
    ) -> None:
        """Have the second listener speak `protocol`; `settings` are the broker's, with underscores for dots."""
        self.wire = wire
        plain = bridge.dev.kafka.properties

        def properties(listeners: str, advertised: str, controller: int, data: str) -> dict[str, str]:
            host = ports.HOST if ports.HOST in listeners else ""  # a container listens on all of its addresses
            port = wire.target.rsplit(":", 1)[1]
            found: dict[str, str] = plain(
                f"{listeners},WIRE://{host}:{port}", f"{advertised},WIRE://{wire.address}", controller, data
            )
            return (
                found
                | {name.replace("_", "."): value for name, value in settings.items()}
                | {
                    "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,WIRE:{protocol},CONTROLLER:PLAINTEXT",
                    "inter.broker.listener.name": "PLAINTEXT",
                }
            )

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bridge.dev.kafka, "properties", properties)
            super().__init__(guard, folder)
        self._publish(wire.target)

    def _publish(self, address: str) -> None:
        """Let a container's second port be reached."""
        argv = self.program.argv
        if PUBLISH in argv:
            at = argv.index(PUBLISH)
            more = (PUBLISH, f"{address}:{address.rsplit(':', 1)[1]}")
            self.program = dataclasses.replace(self.program, argv=(*argv[:at], *more, *argv[at:]))

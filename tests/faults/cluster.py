"""Three brokers on one machine: each topic has three copies, and two must have taken what is acknowledged."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import bridge.dev.kafka
from bridge.dev import processes
from tests.servers import ports
from tests.servers.fixtures import Kafka

NODES = (1, 2, 3)
COPIES = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    # A broker that is only slow must stay in step: else the one that is killed may have the only copy.
    "broker.session.timeout.ms": "6000",
    "broker.heartbeat.interval.ms": "1000",
}


class Node(Kafka):
    """One broker, which is a controller, too."""

    def __init__(self, guard: processes.Guard, folder: Path, number: int, controllers: Mapping[int, int]) -> None:
        self.number = number
        plain = bridge.dev.kafka.properties

        def properties(listeners: str, advertised: str, controller: int, data: str) -> dict[str, str]:
            mine = listeners.replace(f":{controller}", f":{controllers[number]}")
            voters = ",".join(f"{node}@{ports.HOST}:{port}" for node, port in controllers.items())
            settings: dict[str, str] = plain(mine, advertised, controller, data)
            return settings | COPIES | {"node.id": str(number), "controller.quorum.voters": voters}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bridge.dev.kafka, "properties", properties)
            super().__init__(guard, folder / f"node-{number}")


class Cluster(Kafka):
    """Looks like one Kafka to who connects: the address of all three."""

    def __init__(self, guard: processes.Guard, folder: Path) -> None:
        controllers = {number: ports.free() for number in NODES}
        self.nodes = {number: Node(guard, folder, number, controllers) for number in NODES}
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes.values())
        self.folder = folder

    def start(self) -> None:
        for node in self.nodes.values():
            node.start()

    def wait_ready(self) -> None:
        for node in self.nodes.values():
            node.wait_ready()

    def stop(self, within: object = None) -> None:
        for node in self.nodes.values():
            node.stop()

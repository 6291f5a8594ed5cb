"""What the tests' servers run in, where they are containers: the images of compose/.env."""

from datetime import timedelta
from pathlib import Path

import bridge.dev.kafka
from bridge.dev.server import Program
from tests.servers import ports
from tests.servers.contained import Box, version

KAFKA_DATA = "/var/lib/kafka/data"
STOP_WITHIN = timedelta(seconds=20)
READY_WITHIN = timedelta(seconds=90)  # an image that is not there yet is fetched before


def kafka(folder: Path, port: int, files: tuple[Path, ...] = ()) -> tuple[Program, Box]:
    """Return how to run Kafka with the settings of the embedded one; its data stay in the container.

    `files` are those that its settings name.
    """
    (folder / "kafka").mkdir(parents=True)
    controller = ports.free()
    address = f"PLAINTEXT://{ports.HOST}:{port}"
    listeners = f"{address},CONTROLLER://{ports.HOST}:{controller}"
    settings = bridge.dev.kafka.properties(listeners, address, controller, KAFKA_DATA)
    environment = {variable(name): value for name, value in settings.items()} | {
        "CLUSTER_ID": bridge.dev.kafka.CLUSTER_ID,
        "KAFKA_HEAP_OPTS": "-Xmx512m",
        "KAFKA_OPTS": "-XX:TieredStopAtLevel=1",
    }
    image = f"apache/kafka:{version('KAFKA_VERSION')}"
    log = folder / "logs" / "kafka.log"
    program = Program(
        name="Kafka",
        argv=(image,),
        log=log,
        ready=lambda: bridge.dev.kafka.has_started(log),
        ready_within=READY_WITHIN,
        stop_within=STOP_WITHIN,
    )
    return program, Box(image, environment, files=files)


def variable(setting: str) -> str:
    """Return what the image takes a broker's setting from."""
    return "KAFKA_" + setting.upper().replace("-", "___").replace(".", "_")


def temporal(folder: Path) -> Box:
    """Return what `temporal server start-dev` runs in; its database lies in the folder, as without a container."""
    return Box(
        image=f"temporalio/temporal:{version('TEMPORAL_CLI_VERSION')}",
        environment={"TEMPORAL_VERSION_CHECK_DISABLED": "1"},
        command=lambda program: program.argv[1:],  # the image begins with `temporal` itself
        folder=folder,
    )

"""Apache Kafka on this machine: one node in KRaft mode, on Java, else in Docker."""

import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bridge import errors
from bridge.dev import docker, jars, java, ports, processes
from bridge.dev.java import Java
from bridge.dev.server import Program

VERSION = "4.1.1"
IMAGE = f"apache/kafka:{VERSION}"
CLUSTER_ID = "a2Fma2EtdGVtcG9yYWwtYg"
JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
STARTED = b"Kafka Server started"
READY_WITHIN = timedelta(seconds=45)
CONTROLLER_PORTS = (9093, 9094)  # in a container: the first that is not the broker's

SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # A mistyped topic is an error, as in production.
    "auto.create.topics.enable": "false",
    # One node has one copy of everything, and few partitions to open again after a kill.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A killed broker may come back once its old session has ended: 3 s instead of 12.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "200",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
}

NEITHER = (
    "Apache Kafka needs Java 17 or later with Maven, or Docker, and found {found}.\n"
    "  Debian, Ubuntu: sudo apt-get install openjdk-17-jre-headless maven\n"
    "  macOS: brew install openjdk maven\n"
    "  or Docker: https://docs.docker.com/get-docker/ (and start it)"
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What Kafka will run on: Java with its jars (`classpath`, else what Maven fetches), or Docker."""

    java: Java | None = None
    classpath: str | None = None
    maven: str | None = None
    docker: str | None = None


def find() -> Runtime:
    """Return what this machine has to run Kafka on; raise ConfigurationError naming what to install."""
    found = java.find()
    if found is not None and found.is_new_enough:
        runtime = Runtime(java=found, classpath=jars.remembered(), maven=jars.maven())
        if runtime.classpath or runtime.maven:
            return runtime
    if command := docker.find():
        return Runtime(docker=command)
    raise errors.ConfigurationError(NEITHER.format(found=_found(found)))


def to_fetch(runtime: Runtime) -> str | None:
    """Say what the first start has to fetch, None if it is there."""
    if runtime.docker:
        return None if docker.has_image(runtime.docker, IMAGE) else f"Docker fetches {IMAGE}, the first time only."
    return None if runtime.classpath else f"Maven fetches Apache Kafka {VERSION} (43 MB), the first time only."


def program(guarded: processes.Guard, folder: Path, logs: Path, port: int) -> Program:
    """Get Kafka ready to be started with its data in `folder`; fetches what is missing, and formats a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    runtime = find()
    if runtime.docker:
        return _in_docker(guarded, runtime.docker, folder, logs, port)
    return _on_java(guarded, runtime, folder, logs, port)


def volume(folder: Path) -> str:
    """Return the name of the Docker volume that holds the data of `folder`, where Docker is used."""
    return "bridge-dev-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]


def properties(listeners: str, advertised: str, controller: int, data: str) -> dict[str, str]:
    """Return the broker's settings."""
    return {
        **SETTINGS,
        "listeners": listeners,
        "advertised.listeners": advertised,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": data,
    }


def _on_java(guarded: processes.Guard, runtime: Runtime, folder: Path, logs: Path, port: int) -> Program:
    if runtime.java is None:
        raise errors.ConfigurationError(NEITHER.format(found="neither"))
    classpath = runtime.classpath or jars.resolve(guarded, runtime.maven or "mvn", runtime.java, logs / "maven.log")
    controller = ports.free()
    listeners = f"PLAINTEXT://{ports.HOST}:{port},CONTROLLER://{ports.HOST}:{controller}"
    # The data's path is relative, since a path may hold what the file format or the list of folders would not take.
    settings = properties(listeners, f"PLAINTEXT://{ports.HOST}:{port}", controller, "data")
    (folder / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    command = (str(runtime.java.binary), *JVM, f"-Dlog4j2.configurationFile={LOG_SETTINGS}")
    env = dict(os.environ) | {"CLASSPATH": classpath}
    log = logs / "kafka.log"
    if not (folder / "data" / "meta.properties").exists():
        storage = (*command, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", "server.properties")
        format_log = logs / "kafka-format.log"
        if guarded.run(storage, log=format_log, env=env, cwd=folder) != 0:
            raise errors.BridgeError(f"Kafka could not format {folder / 'data'}; {format_log} says why")
    return Program(
        name="Kafka",
        argv=(*command, "kafka.Kafka", "server.properties"),
        log=log,
        ready=lambda: has_started(log),
        env=env,
        cwd=folder,
        ready_within=READY_WITHIN,
    )


def _in_docker(guarded: processes.Guard, command: str, folder: Path, logs: Path, port: int) -> Program:
    if not docker.has_image(command, IMAGE):
        pull_log = logs / "docker-pull.log"
        if guarded.run((command, "pull", IMAGE), log=pull_log) != 0:
            raise errors.ConnectError(f"Docker could not fetch {IMAGE}; {pull_log} says why")
    name = f"bridge-dev-kafka-{uuid.uuid4().hex[:12]}"
    controller = next(number for number in CONTROLLER_PORTS if number != port)
    # The port is the same inside: the broker reaches itself, for transactions, at the address that it advertises.
    listeners = f"PLAINTEXT://:{port},CONTROLLER://127.0.0.1:{controller}"
    data = "/var/lib/kafka/data"
    settings = properties(listeners, f"PLAINTEXT://{ports.HOST}:{port}", controller, data)
    environment = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()} | {
        "CLUSTER_ID": CLUSTER_ID,
        "KAFKA_HEAP_OPTS": "-Xmx512m",
    }
    log = logs / "kafka.log"
    return Program(
        name="Kafka",
        argv=(
            command, "run", "--rm", "--name", name,
            "--publish", f"{ports.HOST}:{port}:{port}", "--volume", f"{volume(folder)}:{data}",
            *(word for item in environment.items() for word in ("--env", "=".join(item))),
            IMAGE,
        ),
        log=log,
        ready=lambda: has_started(log),
        ready_within=READY_WITHIN,
        stop_within=timedelta(seconds=20),
        removal=(command, "rm", "--force", "--volumes", name),
    )  # fmt: skip


def has_started(log: Path) -> bool:
    """Say whether this log holds the line that Kafka writes once it serves requests."""
    return log.exists() and STARTED in log.read_bytes()


def _found(runtime: Java | None) -> str:
    if runtime is None:
        return "neither"
    if not runtime.is_new_enough:
        return f"Java {runtime.version} ({runtime.binary}) only"
    return f"Java {runtime.version} ({runtime.binary}) without Maven (mvn)"

"""Where the tests' servers come from: `--servers`, chosen once, and known to every fixture by the environment."""

import os
from collections.abc import Mapping
from enum import StrEnum

from bridge import errors
from bridge.dev import docker, kafka
from tests.servers import external

VARIABLE = "TESTS_SERVERS"
EXTERNAL_KAFKA, EXTERNAL_TEMPORAL = "TESTS_KAFKA_BOOTSTRAP_SERVERS", "TESTS_TEMPORAL_ADDRESS"

HELP = (
    "where Kafka and Temporal come from: embedded (processes of this machine), containers (Docker), external "
    f"({EXTERNAL_KAFKA}, {EXTERNAL_TEMPORAL}). Default: embedded; containers where Docker answers and Java does not"
)


class Servers(StrEnum):
    """The ways to get servers."""

    EMBEDDED = "embedded"
    CONTAINERS = "containers"
    EXTERNAL = "external"


def chosen(asked_for: str | None) -> Servers:
    """Return what was asked for, else what this machine can do."""
    if asked_for is not None:
        return Servers(asked_for)
    try:
        found = kafka.find()
    except errors.ConfigurationError:
        return Servers.EMBEDDED  # who starts it says what is missing
    return Servers.CONTAINERS if found.docker else Servers.EMBEDDED


def current(environment: Mapping[str, str] = os.environ) -> Servers:
    """Return the choice of this session."""
    return Servers(environment.get(VARIABLE, Servers.EMBEDDED))


def missing(servers: Servers, processes: int = 1, environment: Mapping[str, str] = os.environ) -> str | None:
    """Say what this choice needs and has not; `processes` of tests run side by side."""
    if servers is Servers.CONTAINERS and docker.find() is None:
        return "--servers=containers needs Docker, and no engine answers: start it, or take --servers=embedded."
    unset = [one for one in (EXTERNAL_KAFKA, EXTERNAL_TEMPORAL) if one not in environment]
    if servers is Servers.EXTERNAL and unset:
        return f"--servers=external needs {' and '.join(unset)}: set the address."
    if servers is Servers.EXTERNAL and processes > 1:
        return "--servers=external has one Kafka, and two daemons would take each other's commands: set PROCESSES=1."
    return None


def unfit(servers: Servers, environment: Mapping[str, str] = os.environ) -> str | None:
    """Say why the tests cannot run on external servers."""
    return external.unfit(environment[EXTERNAL_KAFKA]) if servers is Servers.EXTERNAL else None

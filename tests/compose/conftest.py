"""One stack for all of these tests: it comes up in half a minute, and more the first time, when the image is built."""

import os
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from bridge.dev import docker
from tests.compose.stack import Compose
from tests.servers import ports

PORTS = (
    *("KAFKA_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "SMTP_PORT", "POSTGRES_PORT"),
    *("PROMETHEUS_PORT", "JAEGER_PORT", "OTLP_PORT", "GRAFANA_PORT", "OPENSEARCH_PORT"),
)


def why_not() -> str | None:
    """Say what is missing to run containers, None where nothing is."""
    command = docker.find()
    if command is None:
        return "needs Docker: no engine answers"
    asked = subprocess.run([command, "compose", "version"], capture_output=True, check=False)
    return None if asked.returncode == 0 else "needs the compose plugin of Docker"


@pytest.fixture(scope="package")
def compose() -> Compose:
    """Give a stack that is not there yet; both copies of the bridge take ports from a range."""
    if reason := why_not():
        pytest.skip(reason)
    free = {name: str(ports.free()) for name in PORTS}
    first = ports.free_pair()
    return Compose(
        {
            "COMPOSE_PROJECT_NAME": f"bridge-test-{uuid.uuid4().hex[:8]}",
            "BRIDGE_ADMIN_PORTS": f"{first}-{first + 1}",
            "COMPOSE_PROGRESS": "quiet",
            **({"PIP_INDEX_URL": index} if (index := os.environ.get("PIP_INDEX_URL")) else {}),
            **free,
        }
    )


@pytest.fixture(scope="package")
def core(compose: Compose) -> Iterator[Compose]:
    """Give a stack whose core is up; nothing of it is left behind."""
    try:
        compose("build")  # `up` takes an image that is there, of whatever code
        compose.up()
        yield compose
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "2")

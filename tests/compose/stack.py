"""A stack of compose.yaml, with a project and ports of its own."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "compose"
FILE = FOLDER / "compose.yaml"
MANAGE = FOLDER / "manage"
WITHIN_SECONDS = 420.0  # the first one builds the image


@dataclass(frozen=True)
class Compose:
    """Runs commands on one stack; `env` says which, and where its ports are."""

    env: Mapping[str, str]

    def __call__(self, *words: str) -> str:
        """Run `docker compose` with all profiles, and return what it writes on stdout."""
        command = ("docker", "compose", "--file", str(FILE), "--profile", "*", *words)
        return self._run(command, check=True).stdout

    def up(self) -> None:
        """Bring `core` up, as docs/deploy.md says."""
        command = ("docker", "compose", "--file", str(FILE), "--profile", "core", "up", "--wait")
        self._run(command, check=True)

    def manage(self, *words: str, told: str = "") -> "subprocess.CompletedProcess[str]":
        """Run compose/manage; `told` is what a person types."""
        return self._run((str(MANAGE), *words), told=told)

    @property
    def bootstrap(self) -> str:
        return f"localhost:{self.env['KAFKA_PORT']}"

    def containers(self, service: str) -> list[dict[str, Any]]:
        """Return what Docker says of the containers of a service, running or not."""
        ids = self("ps", "--all", "--quiet", service).split()
        found = self._run(("docker", "inspect", *ids), check=True).stdout
        return list(json.loads(found))

    def kill(self, container: str) -> None:
        """End a container as kill -9 does."""
        self._run(("docker", "kill", container), check=True)

    def left(self) -> list[str]:
        """Return the containers and volumes of this stack."""
        label = f"label=com.docker.compose.project={self.env['COMPOSE_PROJECT_NAME']}"
        containers = self._run(("docker", "ps", "--all", "--quiet", "--filter", label), check=True).stdout.split()
        volumes = self._run(("docker", "volume", "ls", "--quiet", "--filter", label), check=True).stdout.split()
        return containers + volumes

    def _run(
        self, command: tuple[str, ...], *, told: str = "", check: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            command,
            input=told,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=WITHIN_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr[-3000:]}"
        return done


def status(address: str) -> int:
    """Return the status code of an address that answers well."""
    with urllib.request.urlopen(address, timeout=5) as answer:
        code: int = answer.status
    return code

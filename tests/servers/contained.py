"""A server in a container, by testcontainers, that is started, killed and frozen as a process of this machine is.

Containers share the network of this machine: what a server is told to listen on and to advertise is then the same as
without containers, brokers find each other, and Temporal reaches the callback addresses of the daemons that are tested.
"""

import io
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from docker import client as docker_client
from docker import errors as docker_errors
from docker.models.containers import Container
from testcontainers.core import transferable
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID

from bridge.dev import processes
from bridge.dev.server import Program

COMPOSE = Path(__file__).parents[2] / "compose"


@dataclass(frozen=True, slots=True)
class Box:
    """What a program runs in: an image of compose/.env, its environment, and the folder that it may write to.

    `files` are copied in at each start, to where they are outside: a mount would keep their owner, who alone may read
    them, and an image runs as a user of its own.
    """

    image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Callable[[Program], tuple[str, ...]] = lambda _: ()
    folder: Path | None = None
    files: tuple[Path, ...] = ()


def version(name: str) -> str:
    """Return a version of compose/.env."""
    lines = (COMPOSE / ".env").read_text().splitlines()
    found: str = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))[name]
    return found


class Contained:
    """The container of one server; it is kept from start to start, unless its program has changed."""

    def __init__(self, guard: processes.Guard, box: Box) -> None:
        self._guard = guard
        self._box = box
        self._program: Program | None = None
        self._container: Container | None = None

    def start(self, program: Program) -> "subprocess.Popen[bytes]":
        """Start the container and return the process that writes its log."""
        since = time.time()
        if self._container is None or program.argv != (self._program and self._program.argv):
            self._remove()
            self._container = self._made(program)
            self._guard.removes(("docker", "rm", "--force", "--volumes", str(self._container.id)))
        else:
            for file in self._box.files:
                self._container.put_archive("/", transferable.build_transfer_tar(file, str(file)))
            self._container.start()
        self._program = program
        follow = ("docker", "logs", "--follow", "--since", f"{since:.6f}", str(self._container.id))
        return self._guard.spawn(follow, log=program.log)

    @property
    def exit_code(self) -> int | None:
        """The code of a container that has ended, else None."""
        state = self._there().attrs["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def stop(self, within: timedelta) -> None:
        """Ask the server to end, and kill it if it has not within this time."""
        self._there().stop(timeout=int(within.total_seconds()))

    def kill(self) -> None:
        """End the server as kill -9 does."""
        if self.exit_code is None:
            self._there().kill()

    def freeze(self) -> None:
        """Stop the server's processes where they are."""
        self._there().pause()

    def thaw(self) -> None:
        """Let them go on."""
        self._there().unpause()

    def edit(self, path: str, change: Callable[[bytes], bytes]) -> None:
        """Change a file of a container that does not run."""
        container = self._there()
        stream, _ = container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            (member,) = archive.getmembers()
            content = archive.extractfile(member)
            assert content is not None, path
            changed = change(content.read())
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            member.size = len(changed)
            archive.addfile(member, io.BytesIO(changed))
        container.put_archive(str(Path(path).parent), packed.getvalue())

    def _made(self, program: Program) -> Container:
        testcontainers_config.ryuk_disabled = True  # our own guard ends what is left, and needs no image for it
        made = DockerContainer(self._box.image).with_kwargs(network_mode="host")
        for name, value in self._box.environment.items():
            made.with_env(name, value)
        if command := self._box.command(program):
            made.with_command(list(command))
        for file in self._box.files:
            made.with_copy_into_container(file, str(file))
        if self._box.folder is not None:
            self._box.folder.mkdir(parents=True, exist_ok=True)
            made.with_volume_mapping(self._box.folder, str(self._box.folder), "rw")
            made.with_kwargs(network_mode="host", user=f"{os.getuid()}:{os.getgid()}")
        return made.start().get_wrapped_container()

    def _there(self) -> Container:
        assert self._container is not None, "not started yet"
        self._container.reload()
        return self._container

    def _remove(self) -> None:
        if self._container is not None:
            self._container.remove(v=True, force=True)


def remove_all() -> None:
    """Remove every container of this session, with its volumes."""
    client = docker_client.DockerClient.from_env()
    for container in client.containers.list(all=True, filters={"label": f"{LABEL_SESSION_ID}={SESSION_ID}"}):
        try:
            container.remove(v=True, force=True)
        except docker_errors.NotFound:
            continue
    client.close()

"""Docker, where it has to stand in for Java and Maven."""

import shutil
import subprocess

ANSWER_SECONDS = 10


def find() -> str | None:
    """Return Docker's command if an engine answers it."""
    docker = shutil.which("docker")
    return docker if docker and _says(docker, "version", "--format", "{{.Server.Version}}") else None


def has_image(docker: str, image: str) -> bool:
    """Say whether the image need not be fetched."""
    return _says(docker, "image", "inspect", image)


def remove_volume(volume: str) -> None:
    """Delete a volume that may not exist, if there is a Docker that could hold it."""
    if docker := find():
        _says(docker, "volume", "rm", "--force", volume)


def _says(docker: str, *arguments: str) -> bool:
    try:
        answer = subprocess.run(  # noqa: S603 - Docker's own command
            [docker, *arguments], capture_output=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0

"""Say whether the program of this container is well, by exit code: for the health check of the image.

Process 1 is `bridge run`, `bridge worker` or the mail sink. With `--ready` a daemon is asked whether it is ready, not
only alive.
"""

import http.client
import os
import socket
import sys
from pathlib import Path

WITHIN_SECONDS = 5.0
LOOPBACK = "127.0.0.1"
WORKERS = ("worker", "workers")  # `bridge worker`, and what it becomes: `python -m workers`


def main(words: list[str]) -> int:
    """Ask what the program with these words serves; 0 if it is well."""
    try:
        return _ask(words)
    except (OSError, http.client.HTTPException) as error:
        print(f"it does not answer: {error}")  # noqa: T201 - `docker inspect` shows it
        return 1


def _ask(words: list[str]) -> int:
    if "bridge.dev.sink" in words:
        with socket.create_connection((LOOPBACK, int(words[words.index("bridge.dev.sink") + 1])), WITHIN_SECONDS):
            return 0
    if (flags := flags_of_worker(words)) is not None:
        # In place of this process: only this one needs Temporal's client, which takes a second to import.
        os.execv(sys.executable, [sys.executable, "-m", "workers.polling", *flags])  # noqa: S606 - no shell is wanted
    return _answers("/readyz" if "--ready" in sys.argv else "/healthz")


def flags_of_worker(words: list[str]) -> list[str] | None:
    """Return what a worker was told, in any way of writing it; None where the program is none."""
    begin = next((number for number, word in enumerate(words) if word in WORKERS), None)
    return None if begin is None else [word for word in words[begin + 1 :] if word]


def _answers(path: str) -> int:
    port = int(os.environ["BRIDGE_ADMIN_ADDRESS"].rpartition(":")[2])
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=WITHIN_SECONDS)
    connection.request("GET", path)
    response = connection.getresponse()
    print(response.status, response.read().decode(errors="replace"))  # noqa: T201 - as above
    return 0 if response.status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main(Path("/proc/1/cmdline").read_text().split("\0")))

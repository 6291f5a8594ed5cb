"""End the children of a process that died without ending them.

A script for `python -I -S`, so it imports the standard library only. Its standard input is a pipe whose other end dies
with the parent, however the parent dies: that works wherever there are pipes, also on macOS, and also reaches the
children's children, since every child leads a process group of its own. Lines on the pipe: `+GROUP` a process group
began, `-GROUP` it has ended, `!COMMAND` what removes something that is no process (a container).
"""

import os
import shlex
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 2.0  # the contract allows 10 s in all
POLL_SECONDS = 0.05
REMOVAL_SECONDS = 5.0
READY = "guarding"


def exists(group: int) -> bool:
    """Say whether a process of this group is there, dead ones that nobody waited for included."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group that holds dead processes only
        return False
    return True


def send(group: int, number: signal.Signals) -> None:
    """Signal a process group that may be gone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def end(groups: set[int]) -> None:
    """End process groups: asked first, killed after the grace."""
    for group in groups:
        send(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while any(exists(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for group in groups:
        send(group, signal.SIGKILL)


def remove(command: str) -> None:
    """Run a command that removes what no signal ends; what it says does not matter any more."""
    quiet = subprocess.DEVNULL
    try:
        subprocess.run(  # noqa: S603 - the parent wrote the command
            shlex.split(command), stdin=quiet, stdout=quiet, stderr=quiet, timeout=REMOVAL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return


def main() -> None:
    """Follow the pipe to its end, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the end of the pipe ends the guard
    print(READY, flush=True)  # noqa: T201 - the parent waits for this line
    groups: set[int] = set()
    removals: list[str] = []
    for line in sys.stdin:
        rest = line[1:].strip()
        if line.startswith("+"):
            groups.add(int(rest))
        elif line.startswith("-"):
            groups.discard(int(rest))
        elif line.startswith("!"):
            removals.append(rest)
    if groups:
        end(groups)
        for command in removals:
            remove(command)


if __name__ == "__main__":
    main()

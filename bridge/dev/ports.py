"""Ports of this machine: which are taken, and which are free for a server that may restart."""

import contextlib
import errno
import random
import socket
from collections.abc import Mapping

from bridge import errors

HOST = "127.0.0.1"
CONNECT_SECONDS = 0.5

# Below the ports that systems hand out for outgoing connections (Linux from 32768, macOS and Windows from 49152): a
# client that waits for a restarting server could otherwise be given that very port, and connect to itself.
FREE_FROM, FREE_TO = 20000, 32000
FREE_TRIES = 200


def is_taken(port: int) -> bool:
    """Say whether a server could not listen on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections do not count
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return answers(port)  # macOS lets us bind beside a server that listens on all addresses


def answers(port: int) -> bool:
    """Say whether something accepts connections on this port."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), CONNECT_SECONDS):
        return True
    return False


def free() -> int:
    """Return a free port that no outgoing connection will take while its server restarts."""
    for _ in range(FREE_TRIES):
        port = random.randrange(FREE_FROM, FREE_TO)  # noqa: S311 - no secret
        if not is_taken(port):
            return port
    raise errors.BridgeError(f"no free port was found between {FREE_FROM} and {FREE_TO}: stop some servers")


def check(wanted: Mapping[str, int]) -> None:
    """Refuse ports (by their flag) that are no ports, given twice, or taken; all of them at once."""
    problems = []
    flags: dict[int, str] = {}
    for flag, port in wanted.items():
        if not 0 < port < 65536:
            problems.append(f"{flag} {port}: give a port from 1 to 65535")
        elif port in flags:
            problems.append(f"{flag} {port}: {flags[port]} has the same port; give one of them another")
        elif is_taken(port):
            problems.append(f"port {port} is taken: stop what listens on it, or choose another with {flag} PORT")
        flags.setdefault(port, flag)
    if problems:
        raise errors.ConfigurationError(*problems)

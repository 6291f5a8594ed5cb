"""The addresses that the daemon listens on: listened on already, or free."""

import asyncio
import errno
import socket

from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.settings import Settings

CHECK = "callback"


async def examine(settings: Settings) -> list[Finding]:
    """Look at the callback address, where callbacks are on."""
    bridge = settings.bridge
    if bridge.callback_url is None:
        return []
    return [await listening(CHECK, bridge.callback_address, "BRIDGE_CALLBACK_ADDRESS")]


async def listening(check: str, address: str, variable: str) -> Finding:
    """Say whether an address is listened on, or can be; `variable` is what names it."""
    return await asyncio.to_thread(_listening, check, address, variable)


def _listening(check: str, address: str, variable: str) -> Finding:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_server((host.strip("[]"), int(port))):
            return warn(check, f"nothing listens on {address}", "Run `bridge run`.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return ok(check, f"{address} is listened on")
        return fail(check, f"{address} cannot be listened on ({error.strerror})", f"Correct {variable}.")

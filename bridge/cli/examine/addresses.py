"""The addresses that the daemon listens on: ours already, or free."""

import asyncio
import errno
import socket

import httpx

from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.settings import Settings

ANSWER_SECONDS = 5.0


async def examine(settings: Settings) -> list[Finding]:
    """Look at the admin address, and at the callback address where callbacks are on."""
    bridge = settings.bridge
    findings = [await _admin(bridge.admin_address)]
    if bridge.callback_url is not None:
        findings.append(
            await asyncio.to_thread(_listening, "callback", bridge.callback_address, "BRIDGE_CALLBACK_ADDRESS")
        )
    return findings


async def _admin(address: str) -> Finding:
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
            alive = await client.get(f"http://{address}/healthz")
            ready = await client.get(f"http://{address}/readyz")
    except httpx.ConnectError:
        return await asyncio.to_thread(_listening, "daemon", address, "BRIDGE_ADMIN_ADDRESS")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return fail("daemon", f"{address} is taken by something else ({error})", "Correct BRIDGE_ADMIN_ADDRESS.")
    if alive.status_code == httpx.codes.NOT_FOUND:
        return fail("daemon", f"{address} is taken by something else", "Correct BRIDGE_ADMIN_ADDRESS.")
    if alive.is_success and ready.is_success:
        return ok("daemon", f"{address} is up and ready")
    detail = " ".join(ready.text.split())
    return fail("daemon", f"{address} is up, but not ready: {detail}", "See what it logs.")


def _listening(check: str, address: str, variable: str) -> Finding:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_server((host.strip("[]"), int(port))):
            return warn(check, f"nothing listens on {address}", "Run `bridge run`.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return ok(check, f"{address} is listened on")
        return fail(check, f"{address} cannot be listened on ({error.strerror})", f"Correct {variable}.")

"""The daemon at the admin address: whether it answers, and what it tells of itself."""

from typing import Any

import httpx

from bridge.admin import guard
from bridge.cli.examine import addresses, inside
from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.settings import Settings
from topics.environment.sections import BridgeSection

CHECK = "daemon"
ANSWER_SECONDS = 5.0

_CORRECT = "Correct BRIDGE_ADMIN_ADDRESS."


async def examine(settings: Settings) -> list[Finding]:
    """Ask the daemon, where there is one."""
    bridge = settings.bridge
    found = _open_to_others(bridge)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://{bridge.admin_address}", timeout=ANSWER_SECONDS, trust_env=False
        ) as client:
            return [*found, *await _ask(client, bridge)]
    except httpx.ConnectError:
        return [*found, await addresses.listening(CHECK, bridge.admin_address, "BRIDGE_ADMIN_ADDRESS")]
    except httpx.TimeoutException:
        detail = f"{bridge.admin_address} takes the call and says nothing for {ANSWER_SECONDS:g} s: it stands still"
        return [*found, fail(CHECK, detail, "Look at the process and at what it logs; restart it if need be.")]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [*found, fail(CHECK, f"{bridge.admin_address} is taken by something else ({error})", _CORRECT)]


async def _ask(client: httpx.AsyncClient, bridge: BridgeSection) -> list[Finding]:
    address = bridge.admin_address
    alive, ready = await client.get("/healthz"), await client.get("/readyz")
    if alive.status_code == httpx.codes.NOT_FOUND:
        return [fail(CHECK, f"{address} is taken by something else", _CORRECT)]
    token = bridge.admin_token.get_secret_value() if bridge.admin_token is not None else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    told = await client.get("/v1/overview", headers=headers)
    return [*_readiness(address, ready), *_told(address, bridge.group_id, told)]


def _readiness(address: str, ready: httpx.Response) -> list[Finding]:
    if ready.is_success:
        return [ok(CHECK, f"{address} is up and ready")]
    problems = _object(ready).get("problems") or {"answer": " ".join(ready.text.split())}
    return [
        fail(CHECK, f"{address} is up, but not ready: {part}: {problem}", "See what it logs.")
        for part, problem in problems.items()
    ]


def _told(address: str, group: str, told: httpx.Response) -> list[Finding]:
    """Return what the daemon tells of itself."""
    if not told.is_success:
        problem = _object(told).get("problem", f"it answers {told.status_code}")
        return [warn(CHECK, f"{address} tells no more: {problem}", "Give doctor the daemon's BRIDGE_ADMIN_TOKEN.")]
    overview = _object(told)
    other = overview.get("health", {}).get("group")
    if other != group:
        advice = "Correct BRIDGE_ADMIN_ADDRESS or BRIDGE_GROUP_ID."
        return [warn(CHECK, f"{address} is of the group {other}, not {group}", advice)]
    return list(inside.findings(overview))


def _open_to_others(bridge: BridgeSection) -> list[Finding]:
    if bridge.admin_token is not None or guard.is_loopback(guard.host_of(bridge.admin_address)):
        return []
    detail = f"{bridge.admin_address} can be reached from other machines, and BRIDGE_ADMIN_TOKEN is not set"
    advice = "Set BRIDGE_ADMIN_TOKEN: without it the page and /v1 answer nobody. Or listen on 127.0.0.1."
    return [warn(CHECK, detail, advice)]


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

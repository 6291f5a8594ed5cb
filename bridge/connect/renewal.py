"""Take up Temporal's certificates and keys where their files are replaced while the daemon runs.

What Kafka needs is read by each new connection itself. Temporal's client has its own fixed at the first connection, and
the server ends each connection after some minutes: an expired certificate would then be shown again.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NoReturn

from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

from bridge.connect import temporal, waiting
from bridge.errors import ConfigurationError
from bridge.settings import Settings
from bridge.telemetry import logs
from bridge.telemetry.names import Log

EVERY = timedelta(seconds=5)

_LOGIN: Mapping[str, Any] = MappingProxyType({"api_key": None, "tls": None, "rpc_metadata": {}})
"""What a file may hold anew, and what a client has for none."""

log = logs.get(__name__)


class Renewal:
    """Looks at the files now and then; `client` goes on with the old ones until the server has taken the new ones."""

    def __init__(self, client: Client, settings: Settings) -> None:
        """Take the client, connected by what the settings name."""
        self._client = client
        self._settings = settings
        self._told = ""

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            await self.look()

    async def look(self) -> None:
        """Look once."""
        try:
            wanted = self._wanted()
            if self._has(wanted):
                self._told = ""
                return
            fresh = await temporal.tried(wanted)
        except (ConfigurationError, waiting.AwayError, TimeoutError) as error:
            self._tell(str(error) or "it does not answer")
            return
        self._told = ""
        _take_over(self._client, fresh)
        log.info(Log.CREDENTIALS_RENEWED)

    def _wanted(self) -> ClientConnectConfig:
        found, held = temporal.temporal_config(self._settings), self._client.service_client.config
        # Another server or namespace is no renewal: a restart goes there.
        return {**found, "target_host": held.target_host, "namespace": self._client.namespace}

    def _has(self, wanted: ClientConnectConfig) -> bool:
        # What the client holds counts, not what was read at start: a file may have been replaced between.
        held = self._client.service_client.config
        return all(wanted.get(name, none) == getattr(held, name) for name, none in _LOGIN.items())

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            log.warning(Log.CREDENTIALS_REFUSED, problem=problem)


def _take_over(client: Client, fresh: Client) -> None:
    """Let a client, and all that share its connection, go on over the connection of another; calls under way end."""
    ours, theirs = client.service_client, fresh.service_client
    # The SDK lets a worker's client be replaced, but no client's connection; the names are private.
    for name in ("_bridge_client", "_bridge_config", "config"):
        setattr(ours, name, getattr(theirs, name))

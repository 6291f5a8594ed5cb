"""Take up Temporal's certificates and keys where their files are replaced while the daemon runs.

What Kafka needs is read by each new connection itself. Temporal's client has its own fixed at the first connection, and
the server ends each connection after some minutes: an expired certificate would then be shown again.
"""

import asyncio
from datetime import timedelta
from typing import NoReturn

from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

from bridge.connect import temporal, waiting
from bridge.errors import ConfigurationError
from bridge.settings import Settings
from bridge.telemetry import logs
from bridge.telemetry.names import Log

EVERY = timedelta(seconds=5)

log = logs.get(__name__)


class Renewal:
    """Looks at the files now and then; `client` goes on with the old ones until the server has taken the new ones."""

    def __init__(self, client: Client, settings: Settings) -> None:
        """Take the client, connected by what the settings name."""
        self._client = client
        self._settings = settings
        self._taken = temporal.temporal_config(settings)
        self._told = ""

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            await self.look()

    async def look(self) -> None:
        """Look once."""
        try:
            found = temporal.temporal_config(self._settings)
            # Another server or namespace is no renewal: a restart goes there.
            wanted: ClientConnectConfig = {
                **found,
                "target_host": self._taken["target_host"],
                "namespace": self._taken["namespace"],
            }
            if wanted == self._taken:
                self._told = ""
                return
            fresh = await temporal.tried(wanted)
        except (ConfigurationError, waiting.AwayError, TimeoutError) as error:
            self._tell(str(error) or "it does not answer")
            return
        self._taken, self._told = wanted, ""
        _take_over(self._client, fresh)
        log.info(Log.CREDENTIALS_RENEWED)

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

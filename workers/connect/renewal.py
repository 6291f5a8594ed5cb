"""Take up Temporal's certificates and keys where their files are replaced while the workers run."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.worker import Worker

from workers import logs, settings
from workers.connect import temporal, waiting
from workers.errors import ConfigurationError
from workers.settings import Settings

EVERY = timedelta(seconds=5)

log = logs.get(__name__)


class Renewal:
    """Looks at the files now and then; the workers go on with the old ones until the server has taken the new ones."""

    def __init__(self, told: Settings, runtime: Runtime, workers: Sequence[Worker]) -> None:
        """Take the workers, and what they were told."""
        self._settings = told
        self._runtime = runtime
        self._workers = workers
        self._taken = told.temporal
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
            if wanted == self._taken:
                self._told = ""
                return
            client: Client = await temporal.tried(self._settings, wanted, self._runtime)
        except (ConfigurationError, waiting.AwayError, TimeoutError) as error:
            self._tell(str(error) or "it does not answer")
            return
        for worker in self._workers:
            worker.client = client
        self._taken, self._told = wanted, ""
        log.info("Temporal has taken the new certificates or API key.")

    def _wanted(self) -> ClientConnectConfig:
        found = settings.temporal_config(self._settings.environment)
        # Another server or namespace is no renewal: a restart goes there.
        return {**found, "target_host": self._taken["target_host"], "namespace": self._taken["namespace"]}

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            log.warning(
                "The new certificates or API key of Temporal cannot be used; the old ones stay.", problem=problem
            )

"""Temporal's real server, which takes some hundred starts a second and so is the wall, whoever asks."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping

from temporalio.client import Client

from bridge import mark
from tests.bench import rows
from tests.bench.arena import NO_CONFIG, Arena
from tests.bench.contestant import Contestant, Entry
from tests.servers.fixtures import Temporal

QUERY = f"WorkflowType = '{rows.WORKFLOW}'"
LOOK_EVERY_SECONDS = 0.05
WARM_UP = 200
# The development server asks its database twice for each start with search attributes which ones there are, so that one
# that is added counts at once. Others remember it.
AS_IN_PRODUCTION = (
    "--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=false",
    *(word for name, kind in mark.ATTRIBUTE_TYPES.items() for word in ("--search-attribute", f"{name}={kind}")),
)  # fmt: skip


class RealSide:
    """The real server, and who takes part on it."""

    def __init__(self, arena: Arena, address: str, runner: asyncio.Runner) -> None:
        self._arena = arena
        self._address = address
        self._runner = runner
        self._client = runner.run(Client.connect(address))

    @contextlib.contextmanager
    def running(self, *entries: Entry, settings: Mapping[str, str] = NO_CONFIG) -> Iterator[dict[str, Contestant]]:
        """Hold the entries' processes, warm; `settings` are variables of their environment."""
        with self._arena.running(*entries, temporal=self._address, settings=settings) as them:
            for contestant in them.values():
                self.rate(contestant, WARM_UP)
            yield them

    def rate(self, contestant: Contestant, count: int) -> float:
        """Return how many of `count` commands a second become runs; each becomes one."""
        entry, before = contestant.entry, self._count()
        with contestant.paused():
            self._arena.sender.send(entry.topic, self._arena.starts(contestant, count))
            began = time.monotonic()
        self._arena.wait(contestant, lambda: self._count() - before >= count, every=LOOK_EVERY_SECONDS)
        seconds = time.monotonic() - began
        self._arena.settle(contestant)
        if (found := self._count() - before) != count:
            raise AssertionError(f"{entry.name}: {count} runs were wanted, {found} are there")
        return count / seconds

    def terminate(self, workflow_ids: Iterable[str], rate: float) -> None:
        """End runs, so many a second."""

        async def end_them() -> None:
            began = time.monotonic()
            for number, workflow_id in enumerate(workflow_ids):
                await asyncio.sleep(began + number / rate - time.monotonic())
                await self._client.get_workflow_handle(workflow_id).terminate()

        self._runner.run(end_them())

    def _count(self) -> int:
        return self._runner.run(self._client.count_workflows(QUERY)).count


@contextlib.contextmanager
def real_side(arena: Arena) -> Iterator[RealSide]:
    """Hold a real server with the bridge's search attributes."""
    server = Temporal(arena.guard, arena.folder, AS_IN_PRODUCTION)
    server.start()
    server.wait_ready()
    try:
        with asyncio.Runner() as runner:
            yield RealSide(arena, server.address, runner)
    finally:
        server.stop()

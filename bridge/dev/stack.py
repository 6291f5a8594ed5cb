"""Every server and program of `bridge dev`: started in order, watched, stopped in order."""

import asyncio
import functools
import time
from collections.abc import Callable
from datetime import timedelta

from bridge import errors, settings
from bridge.dev import kafka, mail, processes, programs, temporal
from bridge.dev.folder import Folder
from bridge.dev.options import Options
from bridge.dev.server import Program, Server, failure

LOOK_EVERY = timedelta(milliseconds=200)
STOP_BROKEN_WITHIN = timedelta(seconds=5)  # with a server gone there is nothing left to drain to


class Stack:
    """The embedded stack of one `bridge dev`; `say` is told of each part that is ready."""

    def __init__(
        self,
        options: Options,
        folder: Folder,
        guard: processes.Guard,
        loaded: settings.Settings,
        say: Callable[[str], None],
    ) -> None:
        self._options = options
        self._folder = folder
        self._guard = guard
        self._loaded = loaded
        self._say = say
        self._env = dict(loaded.environment)
        self._servers: list[Server] = []
        self._programs: list[Server] = []
        self._began = time.monotonic()

    async def start(self) -> None:
        """Start the servers side by side, set them up, then start the daemon.

        The workers begin with the servers, and wait for them: importing takes them seconds.
        """
        options, folder = self._options, self._folder
        if fetched := kafka.to_fetch(kafka.find()):
            self._say(fetched)
        parts = (
            lambda: kafka.program(self._guard, folder.kafka, folder.logs, options.kafka_port),
            lambda: temporal.program(folder.temporal, folder.logs, options.temporal_port, options.ui_port),
            lambda: mail.program(folder.mail, folder.logs, options.smtp_port),
        )
        await _side_by_side(*(functools.partial(self._begin, self._servers, part) for part in parts))
        worker = self._begin(self._programs, lambda: programs.worker(self._env, folder.logs, options, self._loaded))
        await _side_by_side(*(functools.partial(self._wait, server) for server in self._servers))
        await asyncio.to_thread(self._set_up)
        daemon = self._begin(self._programs, lambda: programs.daemon(self._env, folder.logs, options, self._loaded))
        await _side_by_side(functools.partial(self._wait, daemon), functools.partial(self._wait, worker))

    async def watch(self) -> None:
        """Return never; raise when a part has ended by itself."""
        while True:
            if self._guard.is_gone:
                raise errors.BridgeError("the guard process, which ends everything if we die, was killed: start again")
            for server in (*self._servers, *self._programs):
                if server.exit_code is not None:
                    raise server.failure()
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def stop(self) -> None:
        """Stop the programs while the servers that they drain to are there, then the servers."""
        broken = any(server.exit_code is not None for server in self._servers)
        for group in (self._programs, self._servers):
            within = STOP_BROKEN_WITHIN if broken else None
            await asyncio.gather(*(asyncio.to_thread(server.stop, within) for server in group))

    def _begin(self, servers: list[Server], part: Callable[[], Program]) -> Server:
        server = Server(self._guard, part())
        server.start()
        servers.append(server)
        return server

    def _wait(self, server: Server) -> None:
        server.wait_ready()
        self._say(f"{server.name} is ready ({time.monotonic() - self._began:.1f} s)")

    def _set_up(self) -> None:
        program = programs.setup(self._env, self._folder.logs)
        code = self._guard.run(program.argv, log=program.log, env=program.env)
        if code != 0:
            raise failure(program, code)
        self._say(f"{program.name} is done ({time.monotonic() - self._began:.1f} s)")


async def _side_by_side(*works: Callable[[], object]) -> None:
    """Do blocking work in threads; raise the first failure that says what to do."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(asyncio.to_thread(work))
    except BaseExceptionGroup as failures:
        raise told(failures) from failures


def told(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first failure that says what to do, else the first."""
    known = failures.subgroup(errors.BridgeError)
    first: BaseException = known or failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first

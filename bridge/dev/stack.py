"""Every server and program of `bridge dev`: started in order, watched, stopped in order."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

from bridge import errors, settings
from bridge.dev import kafka, mail, processes, programs, temporal
from bridge.dev.folder import Folder
from bridge.dev.options import Options
from bridge.dev.server import Program, Server, failure

LOOK_EVERY = timedelta(milliseconds=200)


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

    async def start(self) -> None:
        """Start the servers side by side, set them up, then start the daemon and the workers."""
        options, folder = self._options, self._folder
        await self._start_all(
            self._servers,
            lambda: kafka.program(self._guard, folder.kafka, folder.logs, options.kafka_port),
            lambda: temporal.program(folder.temporal, folder.logs, options.temporal_port, options.ui_port),
            lambda: mail.program(folder.mail, folder.logs, options.smtp_port),
        )
        await asyncio.to_thread(self._set_up)
        await self._start_all(
            self._programs,
            lambda: programs.daemon(self._env, folder.logs, options, self._loaded),
            lambda: programs.worker(self._env, folder.logs, options, self._loaded),
        )

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
        for group in (self._programs, self._servers):
            await asyncio.gather(*(asyncio.to_thread(server.stop) for server in group))

    async def _start_all(self, servers: list[Server], *parts: Callable[[], Program]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(asyncio.to_thread(self._start, servers, part))
        except BaseExceptionGroup as failures:
            raise told(failures) from failures

    def _start(self, servers: list[Server], part: Callable[[], Program]) -> None:
        began = time.monotonic()
        server = Server(self._guard, part())
        server.start()
        servers.append(server)
        server.wait_ready()
        self._say(f"{server.name} is ready ({time.monotonic() - began:.1f} s)")

    def _set_up(self) -> None:
        program = programs.setup(self._env, self._folder.logs)
        began = time.monotonic()
        code = self._guard.run(program.argv, log=program.log, env=program.env)
        if code != 0:
            raise failure(program, code)
        self._say(f"{program.name} is done ({time.monotonic() - began:.1f} s)")


def told(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first failure that says what to do, else the first."""
    known = failures.subgroup(errors.BridgeError)
    first: BaseException = known or failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first

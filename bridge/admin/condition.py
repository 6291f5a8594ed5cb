"""How the process is: health with detail, routes, partitions, lanes, the log level, pause and resume."""

import functools
import importlib.metadata
import os
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bridge.admin import asked, loglevel
from bridge.admin.management import Management
from bridge.admin.operation import Operation, answered
from bridge.errors import ConfigurationError, UnavailableError
from bridge.routes import Route
from topics.environment import reader

DISTRIBUTION = "kafka-temporal-bridge"
LANES = 100


@functools.cache
def version() -> str:
    """Return the bridge's version; it lies in a file, and the page asks for it every two seconds."""
    return importlib.metadata.version(DISTRIBUTION)


@dataclass(frozen=True, slots=True)
class Condition:
    """The handlers."""

    management: Management

    def operations(self) -> list[Operation]:
        """Return the rows of the API."""
        level = {"level": f"One of {', '.join(loglevel.LEVELS)}."}
        return [
            Operation("GET", "/v1/health", "Health with detail", self.health),
            Operation("GET", "/v1/routes", "The routes, and which of them are paused", self.routes),
            Operation(
                "POST", "/v1/routes/{command}/pause", "Pause the topic of a route, in the whole group", self.pause
            ),
            Operation("POST", "/v1/routes/{command}/resume", "Let the topic of a route go on", self.resume),
            Operation("GET", "/v1/partitions", "The partitions that this process holds", self.partitions),
            Operation(
                "GET",
                "/v1/lanes",
                "The commands that wait, by key, those that were tried most first",
                self.lanes,
                query={"count": f"How many lanes at most, {LANES} unless told."},
            ),
            Operation("GET", "/v1/log-level", "The log level of this process", self.log_level),
            Operation("PUT", "/v1/log-level", "Set it, until the process ends", self.set_log_level, body=level),
        ]

    async def health(self, _: Request) -> Response:
        """Return what `/readyz` tells, and the figures beside it."""
        return answered(self.told())

    def told(self) -> dict[str, Any]:
        """Return health with detail."""
        inside = self.management.inside
        return self.management.health.told() | {
            "version": version(),
            "group": self.management.settings.bridge.group_id,
            "process": os.getpid(),
            "figures": inside.figures() if inside is not None else None,
            "paused": [each["command"] for each in self._routes() if each["paused"]],
        }

    async def routes(self, _: Request) -> Response:
        """Return the table that the daemon follows."""
        return answered({"routes": self._routes()})

    async def pause(self, request: Request) -> Response:
        """Pause the topic of a route."""
        return await self._set_paused(request, paused=True)

    async def resume(self, request: Request) -> Response:
        """Let the topic of a route go on."""
        return await self._set_paused(request, paused=False)

    async def partitions(self, _: Request) -> Response:
        """Return what this process holds."""
        return answered({"partitions": self.management.up().partitions()})

    async def lanes(self, request: Request) -> Response:
        """Return what waits."""
        count = asked.number(request, "count", LANES)
        inside = self.management.up()
        lanes = inside.intake.lanes
        return answered({"in_hand": lanes.in_hand, "waiting": lanes.waiting, "lanes": inside.lanes(count)})

    async def log_level(self, _: Request) -> Response:
        """Return the level of our own loggers."""
        return answered({"level": loglevel.current()})

    async def set_log_level(self, request: Request) -> Response:
        """Set the level of our own loggers; those of libraries stay, as they would write what commands hold."""
        wanted = (await asked.object_of(request, ("level",))).get("level")
        if not isinstance(wanted, str) or wanted not in loglevel.LEVELS:
            raise ConfigurationError(f"level: give one of {', '.join(loglevel.LEVELS)}.")
        loglevel.change(wanted)
        return answered({"level": loglevel.current()})

    async def _set_paused(self, request: Request, *, paused: bool) -> Response:
        command = request.path_params["command"]
        route = self.management.settings.routes.for_command(command)
        if route is None:
            known = [row.command for row in self.management.settings.routes.rows]
            raise ConfigurationError(f"{command} is no route{reader.nearest(command, known)}")
        if self.management.pausing is None:
            raise UnavailableError("The daemon still connects: see /readyz.")
        await self.management.pausing.set(route.topic, paused=paused)
        together = [row.command for row in self.management.settings.routes.of_topic(route.topic)]
        return answered({"topic": route.topic, "paused": paused, "commands": together})

    def _routes(self) -> list[dict[str, Any]]:
        pausing = self.management.pausing
        return [
            _row(row) | {"paused": pausing is not None and pausing.holds(row.topic)}
            for row in self.management.settings.routes.rows
        ]


def _row(route: Route) -> dict[str, Any]:
    return {
        "command": route.command,
        "topic": route.topic,
        "verb": route.verb.value,
        "workflow": route.workflow,
        "task_queue": route.task_queue,
        "signal": route.signal,
        "update": route.update,
        "id": route.id,
        "namespace": route.namespace,
        "lifecycle": route.lifecycle,
        "replies": route.replies.value,
        "rerun": route.rerun.value,
        "missing": route.missing.value,
        "wait_seconds": route.wait.total_seconds(),
        "rate": route.rate,
    }

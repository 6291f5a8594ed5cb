"""Dead letters over HTTP: listed, shown, put back, discarded."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bridge import connect
from bridge.admin import asked, filtering
from bridge.admin.management import Management
from bridge.admin.operation import Operation, answered
from bridge.deadletter import desk, discarding, letter, puttingback, replay, told
from bridge.deadletter.discarding import Discarding
from bridge.deadletter.filters import Filters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter, Place
from bridge.deadletter.puttingback import Count, PuttingBack, Wanted
from bridge.deadletter.replay import Writer
from bridge.errors import ConfigurationError

ROWS = 100
RATE = 100
AT_ONCE = 1000  # a request waits for its end: more are for `bridge dlq replay`
STATES = ("open", "replayed", "discarded", "all")


@dataclass(frozen=True, slots=True)
class Letters:
    """The handlers, one at a time: each reads topics, and of two replays the second would stop the first."""

    management: Management
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def operations(self) -> list[Operation]:
        """Return the rows of the API."""
        listed = {
            **filtering.QUERY,
            "state": f"One of {', '.join(STATES)}; open unless told.",
            "count": f"{ROWS} unless told.",
        }
        replaying = {
            "dry_run": "true tells only what would be put back.",
            "again": "true takes also what was replayed or discarded before.",
        }
        discards = {"because": "Why, for those who look later.", "dry_run": "true tells only what would be marked."}
        return [
            Operation(
                "GET", "/v1/dead-letters", "Dead letters, newest first, without their content", self.listed, listed
            ),
            Operation(
                "GET",
                "/v1/dead-letters/{topic}/{partition}/{offset}",
                "One dead letter whole, with its content",
                self.shown,
            ),
            Operation(
                "POST",
                "/v1/dead-letters/replay",
                f"Put dead letters back in the order of their originals, at most {AT_ONCE}",
                self.replayed,
                body={**filtering.BODY, **replaying},
            ),
            Operation(
                "POST",
                "/v1/dead-letters/discard",
                f"Mark dead letters as needing nothing more, at most {AT_ONCE}",
                self.discarded,
                body={**filtering.BODY, **discards},
            ),
        ]

    async def listed(self, request: Request) -> Response:
        """List dead letters."""
        query = request.query_params
        unknown = [name for name in query if name not in {*filtering.QUERY, "state", "count"}]
        state, count = query.get("state", "open"), asked.number(request, "count", ROWS)
        if unknown or state not in STATES:
            raise ConfigurationError(f"Known are {', '.join(filtering.QUERY)}, count, and state: {', '.join(STATES)}.")
        filters = filtering.of_query(request)
        found: list[dict[str, Any]] = []
        more = False
        async with self.turn, desk.opened(self.management.settings, filters) as at:
            marks = await at.marks()
            async for each in at.shelf.newest_first(at.spans, at.selection):
                what = marks.state(each)
                if state not in ("all", what):
                    continue
                if len(found) == count:
                    more = True
                    break
                found.append(told.fields(each, what))
        return answered({"dead_letters": found, "more": more})

    async def shown(self, request: Request) -> Response:
        """Show what lies at a place, or came from there."""
        where = "/".join(request.path_params[name] for name in ("topic", "partition", "offset"))
        filters = Filters((where,))
        found = []
        async with self.turn, desk.opened(self.management.settings, filters) as at:
            marks = await at.marks()
            async for record in at.shelf.forwards(at.spans):
                each = letter.read(record)
                if at.selection.takes(each, record.key):
                    found.append(told.whole(each, record, marks.state(each)))
        if not found:
            raise asked.NotFoundError(f"No dead letter is at {where}, and none came from there.")
        return answered({"dead_letters": found})

    async def replayed(self, request: Request) -> Response:
        """Put dead letters back, or tell which would be."""
        flags, filters = await filtering.of_body(request, ("dry_run", "again"))
        return answered(await self._replay(filters, dry_run=flags["dry_run"], again=flags["again"]))

    async def discarded(self, request: Request) -> Response:
        """Mark dead letters as needing nothing more, or tell which would be."""
        told_of, filters = await filtering.of_body(request, ("dry_run",), ("because",))
        discarding.require_reason(told_of["because"], "because")
        is_dry, rows = told_of["dry_run"], list[dict[str, Any]]()
        state = State.OPEN if is_dry else State.DISCARDED
        async with self.turn, contextlib.AsyncExitStack() as stack:
            at = await stack.enter_async_context(desk.opened(self.management.settings, filters))
            at.require_marks()
            writer = None if is_dry else await stack.enter_async_context(self._writing())
            work = Discarding(at, writer, told_of["because"], lambda each: rows.append(told.fields(each, state)))
            more = await work.run(AT_ONCE)
        return answered({"dead_letters": rows, "more": more})

    def _writing(self) -> contextlib.AbstractAsyncContextManager[Writer]:
        settings = self.management.settings
        return replay.writing(connect.kafka_options(settings), settings.bridge.group_id)

    async def _replay(self, filters: Filters, *, dry_run: bool, again: bool) -> dict[str, Any]:
        settings, rows, count = self.management.settings, list[dict[str, Any]](), Count()

        def show(each: Letter, place: Place) -> None:
            rows.append(told.fields(each, State.REPLAYED) | {"replayed_to": letter.named(place)})

        async with self.turn, contextlib.AsyncExitStack() as stack:
            at = await stack.enter_async_context(desk.opened(settings, filters))
            at.require_marks()
            writer = None
            if not dry_run:  # it stops another replay of the group
                writer = await stack.enter_async_context(self._writing())
            wanted = Wanted(at.selection, await at.marks(), again)
            found = await anext(replay.in_order(at.shelf, at.spans, wanted), list[Letter]())
            if again and writer is not None and len(found) > AT_ONCE:
                raise ConfigurationError(  # a second request could not tell which come next
                    f"again takes at most {AT_ONCE} at once: say more closely which, or use bridge dlq replay --again."
                )
            if at.selection.places and not wanted.seen:
                raise asked.NotFoundError("No dead letter is there, and none came from there.")
            if writer is None:
                rows += [
                    told.fields(each, wanted.marks.state(each)) | {"obstacle": puttingback.obstacle(at, each)}
                    for each in found[:AT_ONCE]
                ]
            else:
                await PuttingBack(at, writer, count, RATE, show).put_back(found[:AT_ONCE])
        return {"dead_letters": rows, "refused": count.obstacles, "more": len(found) > AT_ONCE}

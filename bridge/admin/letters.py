"""Dead letters over HTTP: listed, shown, put back."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bridge import connect
from bridge.admin import asked
from bridge.admin.management import Management
from bridge.admin.operation import Operation, answered
from bridge.deadletter import desk, letter, puttingback, replay, told
from bridge.deadletter.filters import Filters
from bridge.deadletter.handled import State
from bridge.deadletter.letter import Letter, Place
from bridge.deadletter.puttingback import Count, PuttingBack, Wanted
from bridge.errors import ConfigurationError

ROWS = 100
RATE = 100
AT_ONCE = 1000  # a request waits for its end: more are for `bridge dlq replay`
STATES = ("open", "replayed", "discarded", "all")

_FILTERS = {
    "where": "Topics, or topic/partition/offset of a dead letter or its original; may come several times.",
    "reason": "Only those with this reason; may come several times.",
    "since": "Only those since a time (RFC 3339), or so long ago: 90s, 2h, 7d.",
    "until": "Only those before a time, or so long ago.",
    "key": "Only those with this record key; may come several times.",
    "id": "Only those of this command id; may come several times.",
}


@dataclass(frozen=True, slots=True)
class Letters:
    """The handlers, one at a time: each reads topics, and of two replays the second would stop the first."""

    management: Management
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def operations(self) -> list[Operation]:
        """Return the rows of the API."""
        listed = {
            **_FILTERS,
            "state": f"One of {', '.join(STATES)}; open unless told.",
            "count": f"{ROWS} unless told.",
        }
        body = {name: text.replace("; may come several times", "; a list") for name, text in _FILTERS.items()}
        flags = {
            "dry_run": "true tells only what would be put back.",
            "again": "true takes also what was replayed or discarded before.",
        }
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
                body=body | flags,
            ),
        ]

    async def listed(self, request: Request) -> Response:
        """List dead letters."""
        query = request.query_params
        unknown = [name for name in query if name not in {*_FILTERS, "state", "count"}]
        state, count = query.get("state", "open"), asked.number(request, "count", ROWS)
        if unknown or state not in STATES:
            raise ConfigurationError(f"Known are {', '.join(_FILTERS)}, count, and state: {', '.join(STATES)}.")
        lists = {name: tuple(query.getlist(name)) for name in ("where", "reason", "key", "id")}
        filters = _filters(lists, query.get("since"), query.get("until"))
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
        body = await asked.object_of(request, (*_FILTERS, "dry_run", "again"))
        lists = {name: _texts(body, name) for name in ("where", "reason", "key", "id")}
        times = {name: body.get(name) for name in ("since", "until")}
        flags = {name: body.get(name, False) for name in ("dry_run", "again")}
        wrong = [name for name, value in times.items() if not isinstance(value, str | None)]
        wrong += [name for name, value in flags.items() if not isinstance(value, bool)]
        if wrong:
            raise ConfigurationError(f"{', '.join(wrong)}: since and until are text, dry_run and again true or false.")
        if not any(lists.values()) and not any(times.values()):
            raise ConfigurationError("Say which: where, reason, since, until, key or id.")
        filters = _filters(lists, times["since"], times["until"])
        return answered(await self._replay(filters, dry_run=flags["dry_run"], again=flags["again"]))

    async def _replay(self, filters: Filters, *, dry_run: bool, again: bool) -> dict[str, Any]:
        settings, rows, count = self.management.settings, list[dict[str, Any]](), Count()

        def show(each: Letter, place: Place) -> None:
            rows.append(told.fields(each, State.REPLAYED) | {"replayed_to": letter.named(place)})

        async with self.turn, contextlib.AsyncExitStack() as stack:
            at = await stack.enter_async_context(desk.opened(settings, filters))
            at.require_marks()
            writer = None
            if not dry_run:  # it stops another replay of the group
                writing = replay.writing(connect.kafka_options(settings), settings.bridge.group_id)
                writer = await stack.enter_async_context(writing)
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


def _filters(lists: dict[str, tuple[str, ...]], since: str | None, until: str | None) -> Filters:
    return Filters(lists["where"], lists["reason"], since, until, lists["key"], lists["id"])


def _texts(body: dict[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name, [])
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigurationError(f"{name}: give a list of texts.")
    return tuple(value)

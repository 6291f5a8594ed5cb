"""Look at a run: whose it is, and what must be written where it has closed."""

import dataclasses
from collections.abc import Callable, Collection, Iterable

from bridge import tracecontext
from bridge.command import rfc3339
from bridge.feed.closing import Closing
from bridge.feed.ends import Begun, Ends, Told
from bridge.feed.watch import Watch
from bridge.mark import Mark
from bridge.routes import DECRYPTED, Route, Routes
from bridge.telemetry import logs
from bridge.telemetry.names import Log
from topics import ids, tables

TOPIC_CHARACTERS_MAX = 249  # in Kafka; what is in a memo may be longer

log = logs.get(__name__)


class Lookup:
    """Looks at the runs of one namespace that are of one group."""

    def __init__(
        self,
        ends: Ends,
        routes: Routes,
        group: str,
        reply_topics: Collection[str],
        note: Callable[[Closing], None] = lambda _: None,
    ) -> None:
        """Take what decides; `reply_topics` are those that a command may name beside the common one.

        `note` is told of each run that has closed, once it is read.
        """
        self._ends = ends
        self._routes = routes
        self._group = group
        self._reply_topics = frozenset({tables.REPLIES_TOPIC, *reply_topics})
        self._note = note

    @property
    def namespace(self) -> str:
        """The namespace whose runs are looked at."""
        return self._ends.namespace

    async def closing(self, workflow_id: str, run_id: str) -> Closing | None:
        """Return what must be written for a run that has closed; None where it is open, gone, or none of ours.

        For whoever is told of a run and believes nothing else. Raises `TemporalAwayError`.
        """
        told = await self.told(workflow_id, run_id)
        mark = await self.mark_of(told.begun) if told is not None and told.end is not None else None
        return self.build(told, mark) if told is not None and mark is not None else None

    async def told(self, workflow_id: str, run_id: str) -> Told | None:
        """Return what the server tells of a run; None where retention has taken it. Raises `TemporalAwayError`."""
        return await self._ends.look(workflow_id, run_id)

    async def mark_of(self, begun: Begun) -> Mark | None:
        """Return the mark of a run, of the first run of its chain, or one in its place; None for a run of others."""
        if (found := self.own(begun.mark, begun.started_ms)) is not None:
            return found
        if not begun.in_group:
            return None
        # A workflow that continues as new with a memo of its own loses the mark; the first run of the chain has it.
        facts = begun.facts
        first = await self._ends.first_mark(facts) if facts.run_id != facts.first_run_id else None
        return self.own(first, begun.started_ms) or self._stand_in(begun)

    def own(self, mark: Mark | None, started_ms: int) -> Mark | None:
        """Return a mark if it is of the group, and of a command that was there when the run started; else None."""
        is_own = mark is not None and mark.group == self._group and mark.may_begin(started_ms)
        return mark if is_own else None

    def build(self, told: Told, mark: Mark, watched: Watch | None = None) -> Closing | None:
        """Return what must be written for a run; None while it is open. `watched` where the owner looks after it."""
        if told.end is None:
            return None
        if watched is not None:
            mark = watched.mark
        elif told.begun.is_reset:
            # Whoever resets a run that is open has the owner look after the next one. So this one replaces a run that
            # had closed before, and its command was told so: it is not told again.
            mark = dataclasses.replace(mark, done=None)
        route = self._routes.for_command(mark.route)
        if route is None:
            facts = told.begun.facts
            trace_id = tracecontext.trace_id(mark.traceparent)
            log.warning(Log.FEED_UNKNOWN_ROUTE, workflow_id=facts.workflow_id, run_id=facts.run_id, trace_id=trace_id)
        is_decrypted = route is not None and route.result == DECRYPTED
        closing = Closing(
            told.begun,
            (told.clear if is_decrypted else None) or told.end,
            told.successor,
            mark,
            self._group,
            topic=(route.lifecycle or None) if route is not None else None,
            with_result=route is not None and bool(route.result),
            answered_in=self.allowed(mark.done, mark.traceparent),
            watched=watched,
        )
        self._note(closing)
        return closing

    def allowed(self, reply_topic: str | None, traceparent: str) -> str | None:
        """Return a reply topic if a command may name it now; `traceparent` is the command's.

        A memo may be other people's, and a topic that has gone since would hold up the whole feed.
        """
        if reply_topic is None or reply_topic in self._reply_topics:
            return reply_topic
        trace_id = tracecontext.trace_id(traceparent)
        log.warning(Log.ANSWER_FORBIDDEN, topic=reply_topic[:TOPIC_CHARACTERS_MAX], trace_id=trace_id)
        return None

    def topic_of(self, mark: Mark) -> str | None:
        """Return the topic that announces the runs of a mark's route, if any does."""
        route = self._routes.for_command(mark.route)
        return (route.lifecycle or None) if route is not None else None

    def _stand_in(self, begun: Begun) -> Mark | None:
        """Return a mark for a run that has our search attribute and no mark, as a child may: it tells of no command.

        Its route is that of its workflow type, where all routes that begin such workflows announce them in one topic.
        """
        facts = begun.facts
        route = _the_one(row for row in self._routes.rows if row.workflow == facts.workflow_type and row.lifecycle)
        if route is None:
            log.warning(Log.FEED_UNKNOWN_ROUTE, workflow_id=facts.workflow_id, run_id=facts.run_id)
            return None
        trace = ids.text("lifecycle", facts.namespace, facts.workflow_id, facts.first_run_id)
        return Mark(
            command="",
            source="",
            type="",
            topic="",
            partition=-1,
            offset=-1,
            time=rfc3339(begun.started_ms),
            group=self._group,
            correlationid=facts.workflow_id,
            traceparent=tracecontext.begun(trace),
            route=route.command,
        )


def _the_one(rows: Iterable[Route]) -> Route | None:
    found = list(rows)
    return found[0] if len({row.lifecycle for row in found}) == 1 else None

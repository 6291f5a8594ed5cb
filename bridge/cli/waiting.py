"""What becomes of commands that were just sent: the reply to each, and the end of its run."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.cli import records
from bridge.command import Record
from bridge.intake import jsontext
from bridge.routes import Route, Verb
from topics import tables
from topics.lifecycle import State
from topics.replies import ReplyOutcome

RUNNING = "running"

_WANTED = {Verb.CANCEL: State.CANCELLED, Verb.TERMINATE: State.TERMINATED}

Coordinates = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Fate:
    """What is known of one command; None is not known (yet). `state` is its run's, `running` or how it ended."""

    outcome: str | None = None
    reason: str | None = None
    workflow_id: str | None = None
    run_id: str | None = None
    state: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no reply, or a bad one."""
        return self.outcome not in (ReplyOutcome.ACCEPTED, ReplyOutcome.DUPLICATE)


@dataclass(slots=True)
class Waiting:
    """Follows the reply topic and a lifecycle topic until every command's fate is known.

    A signal with start ends with its reply: its run is made to stay. So does a command whose route announces no runs.
    Every other one ends with its run.
    """

    route: Route
    follower: records.Follower
    tell: Callable[[Coordinates, Fate], None]
    open: dict[Coordinates, Fate] = field(default_factory=dict)
    ends: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # by run id: state, run that continues it
    rewound: bool = False

    async def follow(self) -> None:
        """Return once nothing is open any more; does not end by itself where an answer never comes."""
        if not self.open:
            return
        async for record in self.follower:
            if record.topic == tables.REPLIES_TOPIC:
                await self._reply(record)
            else:
                self._lifecycle(record)
            if not self.open:
                return

    async def _reply(self, record: Record) -> None:
        data = _object(record)
        coordinates = (data.get("topic"), data.get("partition"), data.get("offset"))
        if coordinates not in self.open or data.get("outcome") == ReplyOutcome.DONE:
            return
        names = ("outcome", "reason", "workflow_id", "run_id")
        fate = Fate(**{name: data.get(name) for name in names})
        if fate.failed or fate.run_id is None:
            self._close(coordinates, fate)
        elif self.route.verb is Verb.SIGNAL_WITH_START or not self.route.lifecycle:
            self._close(coordinates, replace(fate, state=RUNNING))
        else:
            self.open[coordinates] = replace(fate, state=RUNNING)
            self._settle(coordinates)
            if fate.outcome == ReplyOutcome.DUPLICATE and coordinates in self.open and not self.rewound:
                self.rewound = True  # its run may have ended long ago
                await self.follower.rewind(record_topic(self.route))

    def _lifecycle(self, record: Record) -> None:
        data = _object(record)
        state = data.get("state")
        if not isinstance(state, str) or state == State.STARTED:
            return
        self.ends[str(data.get("run_id"))] = (state, data.get("new_run_id"))
        for coordinates in list(self.open):
            self._settle(coordinates)

    def _settle(self, coordinates: Coordinates) -> None:
        fate = self.open[coordinates]
        run_id = fate.run_id
        while run_id is not None and run_id in self.ends:
            state, run_id = self.ends[run_id]
            if run_id is None:
                self._close(coordinates, replace(fate, state=state))

    def _close(self, coordinates: Coordinates, fate: Fate) -> None:
        del self.open[coordinates]
        self.tell(coordinates, fate)


def record_topic(route: Route) -> str:
    """Return the topic that announces the runs of a route."""
    return route.lifecycle or tables.REPLIES_TOPIC


def is_bad(route: Route, fate: Fate) -> bool:
    """Return whether the caller should be told of a failure: a cancelled run is what `cancel` asks for."""
    if route.verb is Verb.SIGNAL_WITH_START or not route.lifecycle:
        return fate.failed
    return fate.failed or fate.state not in {State.COMPLETED, _WANTED.get(route.verb)}


def _object(record: Record) -> dict[str, Any]:
    try:
        data = jsontext.parse(record.value or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}

"""What becomes of commands that were just sent: the reply to each, and the second one when its run has ended."""

from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.command import Record
from bridge.lookup import clue
from bridge.routes import Route, Verb
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
    """Follows the replies until every command's fate is known."""

    route: Route
    replies: AsyncIterable[Record]
    tell: Callable[[Coordinates, Fate], None]
    open: dict[Coordinates, Fate] = field(default_factory=dict)
    ends: dict[Coordinates, str] = field(default_factory=dict)

    async def follow(self) -> None:
        """Return once nothing is open any more; does not end by itself where an answer never comes."""
        if not self.open:
            return
        async for record in self.replies:
            self._take(clue.data_of(record))
            if not self.open:
                return

    def _take(self, data: dict[str, Any]) -> None:
        coordinates = _coordinates(data)
        if coordinates not in self.open:
            return
        if data.get("outcome") == ReplyOutcome.DONE:
            self.ends[coordinates] = str(data.get("state"))
        else:
            self.open[coordinates] = Fate(*(data.get(name) for name in ("outcome", "reason", "workflow_id", "run_id")))
        self._settle(coordinates)

    def _settle(self, coordinates: Coordinates) -> None:
        fate = self.open[coordinates]
        if fate.outcome is None:
            return  # the daemon was killed after the effect: it answers late, and the run's end was told before
        if fate.failed or fate.run_id is None:
            self._close(coordinates, fate)
        elif coordinates in self.ends:
            self._close(coordinates, replace(fate, state=self.ends[coordinates]))
        elif not ends_with_run(self.route):
            self._close(coordinates, replace(fate, state=RUNNING))
        else:
            self.open[coordinates] = replace(fate, state=RUNNING)

    def _close(self, coordinates: Coordinates, fate: Fate) -> None:
        del self.open[coordinates]
        self.tell(coordinates, fate)


def ends_with_run(route: Route) -> bool:
    """Return whether the end of its run is waited for too: a run that is signalled with a start is made to stay."""
    return route.verb is not Verb.SIGNAL_WITH_START


def is_bad(route: Route, fate: Fate) -> bool:
    """Return whether the caller should be told of a failure: a cancelled run is what `cancel` asks for."""
    if not ends_with_run(route):
        return fate.failed
    return fate.failed or fate.state not in {State.COMPLETED, _WANTED.get(route.verb)}


def _coordinates(data: dict[str, Any]) -> Coordinates:
    topic, partition, offset = (data.get(name) for name in ("topic", "partition", "offset"))
    return str(topic), partition if isinstance(partition, int) else -1, offset if isinstance(offset, int) else -1

"""Which topics hold what of a command: told by the routes, the contract's names and what is there. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bridge.routes import Route, Routes
from topics import spec, tables

EVENTS_SUFFIX = ".events"


@dataclass(frozen=True, slots=True)
class Places:
    """The topics of a deployment; `there` counts the partitions of those that are there."""

    routes: Routes
    reply_topics: tuple[str, ...]
    handled: str
    there: Mapping[str, int]

    @property
    def commands(self) -> list[str]:
        """The topics that commands arrive on."""
        return self._there(self.routes.topics)

    @property
    def replies(self) -> list[str]:
        """The topics that commands are answered in."""
        return self._there((tables.REPLIES_TOPIC, *self.reply_topics))

    @property
    def dead_letters(self) -> list[str]:
        """The topics of dead letters."""
        return self._there(topic + spec.DEAD_LETTER_SUFFIX for topic in self.routes.topics)

    def events(self, route: Route | None, kind: str) -> list[str]:
        """Return the topic of the domain events that follow from a command of a type."""
        return self._there([_domain(route, kind) + EVENTS_SUFFIX])

    def lifecycle(self, route: Route | None, kind: str) -> list[str]:
        """Return the topic that announces the runs that a command of a type reaches.

        A signal's route may name another topic than that of the route which began the run: both are taken.
        """
        named = route.lifecycle if route is not None else None
        return self._there([*([named] if named else []), _domain(route, kind) + spec.LIFECYCLE_SUFFIX])

    @property
    def all(self) -> list[str]:
        """Every topic that can hold something of a command."""
        routes = self.routes
        domains = [_domain(row, "") for row in routes.rows]
        return self._there(
            [
                *(*self.commands, *self.dead_letters, *self.replies, *routes.lifecycle_topics, self.handled),
                *(domain + suffix for domain in domains for suffix in (EVENTS_SUFFIX, spec.LIFECYCLE_SUFFIX)),
            ]
        )

    def missing(self) -> Collection[str]:
        """Return the topics that the deployment names and that are not there, or not seen by this account."""
        wanted = {*self.routes.topics, *self.routes.lifecycle_topics, tables.REPLIES_TOPIC, *self.reply_topics}
        return sorted(wanted - self.there.keys())

    def _there(self, names: Iterable[str]) -> list[str]:
        return [name for name in dict.fromkeys(names) if name in self.there]


def _domain(route: Route | None, kind: str) -> str:
    return (route.command if route is not None else kind).partition(".")[0]

"""The rows that a deployment runs, and how they are looked up."""

from collections.abc import Iterable

from bridge.routes.own import OWN
from bridge.routes.route import Route


class Routes:
    """The rows that a deployment runs, looked up by what arrives."""

    def __init__(self, rows: Iterable[Route]) -> None:
        self.rows = tuple(rows)
        self._by_topic_and_type = {(row.topic, row.command): row for row in self.rows}
        self._by_command = {row.command: row for row in self.rows}
        self._starts = tuple((row, row.id_template) for row in self.rows if row.starts)

    @property
    def topics(self) -> tuple[str, ...]:
        """Every command topic, once."""
        return tuple(dict.fromkeys(row.topic for row in self.rows))

    @property
    def lifecycle_topics(self) -> tuple[str, ...]:
        """Every topic that announces runs, once."""
        return tuple(dict.fromkeys(row.lifecycle for row in self.rows if row.lifecycle))

    @property
    def namespaces(self) -> frozenset[str]:
        """The Temporal namespaces that rows name."""
        return frozenset(row.namespace for row in self.rows if row.namespace is not None)

    def find(self, topic: str, command_type: str) -> Route | None:
        """Return the row for a CloudEvents type that arrived on `topic`."""
        return self._by_topic_and_type.get((topic, command_type))

    def of_topic(self, topic: str) -> tuple[Route, ...]:
        """Return the rows whose commands arrive on `topic`."""
        return tuple(row for row in self.rows if row.topic == topic)

    def for_command(self, command_type: str) -> Route | None:
        """Return the row of a command, whatever its topic."""
        return self._by_command.get(command_type)

    def topics_that_start(self, workflow_id: str, namespace: str | None = None) -> tuple[str, ...]:
        """Return the topics whose commands can begin a run of `workflow_id` in a namespace.

        None is the daemon's own, whose name is not known here: it may be any.
        """
        return tuple(
            dict.fromkeys(
                row.topic
                for row, shape in self._starts
                if (None in (row.namespace, namespace) or row.namespace == namespace) and shape.could_be(workflow_id)
            )
        )


def table(domains: Iterable[str], added: Iterable[Route] = ()) -> Routes:
    """Return the rows of the domains that run, by their names, and those `added`: they replace ours by command."""
    names, added = frozenset(domains), tuple(added)
    replaced = {row.command for row in added}
    own = (row for row in OWN if row.command.partition(".")[0] in names and row.command not in replaced)
    return Routes((*own, *added))

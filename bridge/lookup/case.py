"""Everything that is known of one command: its clues together. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bridge.command import Record
from bridge.lookup.clue import Clue, data_of
from bridge.lookup.question import Place
from topics import ids


@dataclass(slots=True)
class Case:
    """Everything that is known of one command."""

    id: str
    source: str
    clues: list[Clue] = field(default_factory=list)

    @property
    def request_id(self) -> str:
        """Its UUIDv5, by which a cancel or terminate is signed."""
        return ids.text("request", self.source, self.id)

    @property
    def arrivals(self) -> list[Clue]:
        """Where it arrived, once each, the first one first; what tells more of a place is told of it."""
        by_place: dict[Place, Clue] = {}
        for clue in self.clues:
            if clue.place is not None and (clue.place not in by_place or clue.key is not None):
                by_place[clue.place] = clue
        return sorted(by_place.values(), key=lambda clue: (clue.time_ms or 0, clue.place))

    @property
    def time_ms(self) -> int | None:
        """When it arrived first, or about when."""
        known = [clue.time_ms for clue in self.arrivals or self.clues if clue.time_ms is not None]
        return min(known, default=None)

    @property
    def order(self) -> tuple[int, Place | tuple[()]]:
        """Sorts commands by when they arrived; those of one millisecond and partition by their offsets."""
        arrivals = self.arrivals
        return self.time_ms or 0, (arrivals[0].place or ()) if arrivals else ()

    @property
    def runs(self) -> tuple[tuple[str, str, str], ...]:
        """The runs that it began or reached."""
        return tuple(dict.fromkeys(clue.run for clue in self.clues if clue.run is not None))

    @property
    def began(self) -> bool:
        """Whether it began a run."""
        return any(clue.began for clue in self.clues)

    @property
    def took(self) -> bool:
        """Whether a run's history has it."""
        return any(clue.took for clue in self.clues)

    @property
    def began_from(self) -> frozenset[Place]:
        """Where the records lie of which the runs' marks tell that they began them."""
        return frozenset(clue.place for clue in self.clues if clue.began and clue.place is not None)

    @property
    def asks_done(self) -> bool:
        """Whether it asked for a second reply."""
        return any(clue.asks_done for clue in self.clues)

    @property
    def kind(self) -> str:
        """Its CloudEvents type; empty where it is not known."""
        return str(self.first("type") or "")

    def is_of(self, clue: Clue) -> bool:
        """Return whether a clue is of this command."""
        return (clue.id, clue.source) == (self.id, self.source)

    def is_answered_by(self, record: Record) -> bool:
        """Return whether a record of a reply topic answers it."""
        return record.key == self.id.encode() and data_of(record).get("command_source") == self.source

    def first(self, name: str) -> Any:
        """Return the first value that is known of a field, or None."""
        return next((value for clue in self.clues if (value := getattr(clue, name)) not in (None, "")), None)


def cases(clues: Iterable[Clue]) -> list[Case]:
    """Put the clues of each command together, by when the commands arrived."""
    found: dict[tuple[str, str], Case] = {}
    for clue in clues:
        found.setdefault((clue.source, clue.id), Case(clue.id, clue.source)).clues.append(clue)
    return sorted(found.values(), key=lambda case: case.order)

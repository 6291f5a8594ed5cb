"""What kind of id is asked about, and what it can be the id of. Pure: the text and the routes decide."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from bridge.routes import Route, Routes

TEXT_CHARACTERS_MAX = 600  # the id of bare JSON has a topic in it

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition and offset."""

_PLACE = re.compile(
    r"(?P<topic>[A-Za-z0-9._-]{1,249})/(?P<partition>\d{1,10})/(?P<offset>\d{1,19})(@-?\d{1,19})?", re.ASCII
)
_TRACE_ID = re.compile(r"(?:[0-9a-f]{2}-)?(?P<id>(?!0{32})[0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A workflow id that the text is, or gives in a route's template; `namespace` None is the daemon's own."""

    workflow_id: str
    namespace: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. Any text can be a command's id; `place` and `trace_id` are there where it can be one.

    `candidates` are the workflow ids that it can mean.
    """

    text: str
    place: Place | None
    trace_id: str | None
    candidates: tuple[Candidate, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """What the search attribute `BridgeIds` may have of it."""
        return tuple(dict.fromkeys(filter(None, (self.text, self.trace_id))))

    @property
    def names(self) -> tuple[str, ...]:
        """What a record may name of it."""
        return tuple(dict.fromkeys((*self.ids, *(candidate.workflow_id for candidate in self.candidates))))

    @property
    def workflow_ids(self) -> frozenset[str]:
        """The workflow ids that it can mean."""
        return frozenset(candidate.workflow_id for candidate in self.candidates)


def ask(text: str, routes: Routes) -> Question:
    """Return the question; raises `ValueError` where nothing can have such an id."""
    if not text or len(text) > TEXT_CHARACTERS_MAX or not text.isprintable():
        raise ValueError(f"an id has 1 to {TEXT_CHARACTERS_MAX} characters that can be printed")
    place, trace = _PLACE.fullmatch(text), _TRACE_ID.fullmatch(text)
    return Question(
        text,
        (place["topic"], int(place["partition"]), int(place["offset"])) if place else None,
        trace["id"] if trace else None,
        () if place else tuple(dict.fromkeys(_candidates(text, routes))),
    )


def _candidates(text: str, routes: Routes) -> Iterator[Candidate]:
    for row in routes.rows:
        if row.id_template.could_be(text):
            yield Candidate(text, row.namespace)
    yield Candidate(text, None)  # of a route that was there once
    for row in routes.rows:
        if (name := _only_field(row)) is not None:
            yield Candidate(row.id_template.fill({name: text}), row.namespace)


def business_id(route: Route, workflow_id: str) -> str | None:
    """Return what a workflow id was made of, where its route's template has one field: the key of domain events."""
    template = route.id_template
    if len(template.parts) != 1 or not template.could_be(workflow_id):
        return None
    ((_, behind),) = template.parts
    return workflow_id[len(template.begin) : len(workflow_id) - len(behind)]


def _only_field(route: Route) -> str | None:
    fields = route.id_template.fields
    return fields[0] if len(fields) == 1 else None

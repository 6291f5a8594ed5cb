"""What the independent reader found after a fault: values only, so that the laws can be tested without servers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.acceptance.groups import Partition
from tests.faults.ledger import Entry, Place


@dataclass(frozen=True, slots=True)
class Effect:
    """A command's trace in a history, in the order of the workflow's runs and their events."""

    cid: str
    workflow_id: str
    run_id: str
    what: Literal["started", "signalled", "updated", "cancelled"]
    at_ms: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the workflow ids that the ledger names; where it has `continued`, there is one behind it."""

    workflow_id: str
    run_id: str
    closed: bool
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, by the coordinates that it gives of its record."""

    place: Place
    reason: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class Event:
    """A copy of an outcome event as it lies in Kafka; `content` is key, value and headers."""

    id: str
    type: str
    run_id: str
    cid: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """What was committed at one moment."""

    at_ms: float
    committed: Mapping[Partition, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many commands had been sent at one moment, and how many of them had their answer."""

    at_ms: float
    sent: int
    answered: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process took at one moment."""

    process: str
    resident_bytes: int
    descriptors: int
    in_flight: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it; `ends` are the log's end offsets, `committed` the group's at the end."""

    entries: tuple[Entry, ...] = ()
    effects: tuple[Effect, ...] = ()
    runs: tuple[Run, ...] = ()
    letters: tuple[Letter, ...] = ()
    answers: tuple[Event, ...] = ()
    lifecycle: tuple[Event, ...] = ()
    samples: tuple[Sample, ...] = ()
    progress: tuple[Progress, ...] = ()
    usage: tuple[Usage, ...] = ()
    committed: Mapping[Partition, int] = field(default_factory=dict)
    ends: Mapping[Partition, int] = field(default_factory=dict)

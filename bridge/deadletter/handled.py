"""Which dead letters a person has dealt with: a mark for each, by its identity, in the topic `{group}.dlq.handled`.

Kafka deletes no single record, and committed offsets can neither leave gaps nor outlive a quiet week; so what was
replayed or discarded is told by records of a compacted topic, a replay's in one transaction with the record itself.
"""

import contextlib
import json
from dataclasses import dataclass
from enum import StrEnum

import jiter

from bridge.command import Record
from bridge.deadletter.letter import Letter, named
from bridge.deadletter.shelf import Shelf
from bridge.outcomes.event import OutRecord


class State(StrEnum):
    """What was done about a dead letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks that were there when they were read: about 200 bytes of memory a handled letter."""

    by_identity: dict[str, State]

    def state(self, letter: Letter) -> State:
        """Return what was done about a letter."""
        return self.by_identity.get(letter.identity, State.OPEN)


async def read(shelf: Shelf, topic: str, partitions: int) -> Marks:
    """Return all marks; a topic that is not there (no partitions) has none."""
    by_identity: dict[str, State] = {}
    async for record in shelf.forwards(await shelf.spans({topic: partitions})):
        with contextlib.suppress(ValueError, KeyError, TypeError):  # what is none of ours marks nothing
            by_identity[(record.key or b"").decode()] = state_of(record)
    return Marks(by_identity)


def mark(topic: str, letter: Letter, state: State, at: str, why: str = "") -> OutRecord:
    """Return the record that marks a letter; `at` is RFC 3339, `why` is for people."""
    told = {"state": state.value, "at": at, "letter": named(letter.place), "reason": letter.reason, "why": why}
    return OutRecord(topic, letter.identity.encode(errors="backslashreplace"), json.dumps(told).encode(), ())


def state_of(record: Record) -> State:
    """Return what a mark says; raises `ValueError`, `KeyError` or `TypeError` where it is none."""
    return State(jiter.from_json(record.value or b"")["state"])

"""Where commands are looked for, and how much of it is looked through."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from bridge.command import Record, Skipped
from bridge.intake.decode import Decoder
from bridge.lookup import clue
from bridge.lookup.case import Case
from bridge.lookup.clue import Clue
from bridge.lookup.places import Places
from bridge.lookup.reader import Bound, Reader
from bridge.lookup.runs import Runs

MIB = 1024 * 1024
AHEAD = Bound(20_000, 32 * MIB)  # behind a time at which something happened
NEAR = Bound(5_000, 8 * MIB)  # the same, where there are several such times
BACK = Bound(200_000, 256 * MIB)  # of a key's partition, where no time is known
RECENT = Bound(5_000, 8 * MIB)  # of each partition, where no key is known either


@dataclass(frozen=True, slots=True)
class Sources:
    """Both servers, and what tells where to look; `committed` is how far the group has come, `runs` by namespace."""

    reader: Reader
    runs: Mapping[str, Runs]
    places: Places
    decoder: Decoder
    committed: Mapping[TopicPartition, int]
    own_namespace: str

    def read(self, record: Record) -> Clue | None:
        """Return what a record of a command topic tells; None where no id can be read, or it is passed over."""
        content = self.decoder.decode(record)
        return None if isinstance(content, Skipped) else clue.of_record(content)

    def is_passed_over(self, record: Record) -> bool:
        """Return whether the deployment passes over a record on purpose."""
        return isinstance(self.decoder.decode(record), Skipped)

    def of_reply(self, record: Record) -> Clue | None:
        """Return what a reply tells; its run is in the namespace of the command's route. None where it is no reply."""
        told = clue.of_reply(record, self.own_namespace)
        route = self.places.routes.for_command(told.type) if told is not None else None
        if told is None or told.run is None or route is None or route.namespace is None:
            return told
        return dataclasses.replace(told, run=(route.namespace, *told.run[1:]))

    def read_for(self, case: Case, record: Record) -> Clue | None:
        """Return what a record tells if it is of a command; None where it is another's."""
        told = self.read(record)
        return told if told is not None and case.is_of(told) else None

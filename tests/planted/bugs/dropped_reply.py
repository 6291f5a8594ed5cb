"""One answer in fifty is not sent."""

import itertools

from bridge import announcement
from bridge.command import BadRecord, Command
from bridge.outcome import Settled
from bridge.outcomes.event import OutRecord
from tests.planted.planting import Planting
from topics import tables

ONE_IN = 50


def plant(planting: Planting) -> None:
    records, numbers = announcement.records, itertools.count(1)

    def fewer(
        content: Command | BadRecord, settled: Settled, *, group: str, namespace: str, attempts: int
    ) -> list[OutRecord]:
        found = records(content, settled, group=group, namespace=namespace, attempts=attempts)
        if next(numbers) % ONE_IN:
            return found
        planting.met()
        return [record for record in found if record.topic != tables.REPLIES_TOPIC]

    planting.replace(announcement, "records", fewer)

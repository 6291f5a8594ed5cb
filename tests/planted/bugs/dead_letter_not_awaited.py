"""A dead letter is sent, and nobody waits for Kafka's acknowledgement."""

import asyncio
from collections.abc import Sequence

from bridge.outcomes.event import OutRecord
from bridge.producer.outgoing import Outgoing
from tests.planted.planting import Planting
from topics import spec


def plant(planting: Planting) -> None:
    send = Outgoing.send
    sending: set[asyncio.Task[None]] = set()

    def forget(task: "asyncio.Task[None]") -> None:
        sending.discard(task)
        task.exception()  # looked at, and dropped

    async def sent(self: Outgoing, records: Sequence[OutRecord]) -> None:
        letters = [record for record in records if record.topic.endswith(spec.DEAD_LETTER_SUFFIX)]
        if letters:
            planting.met()
            task = asyncio.create_task(send(self, letters))
            sending.add(task)
            task.add_done_callback(forget)
        await send(self, [record for record in records if not record.topic.endswith(spec.DEAD_LETTER_SUFFIX)])

    planting.replace(Outgoing, "send", sent)

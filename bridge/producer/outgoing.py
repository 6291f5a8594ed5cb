"""Everything that goes out for a command: dead letters by a producer of their own, the rest by another.

A topic without a leader slows whatever its producer writes; so a missing dead-letter topic must not share one with the
answers to sound commands.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from bridge.errors import TopicRefusedError
from bridge.outcomes.event import OutRecord
from bridge.producer.outbox import Outbox
from bridge.producer.refusals import Refusals
from topics import spec


class Outgoing:
    """Writes records."""

    def __init__(self, dead_letters: Outbox, others: Outbox) -> None:
        self._dead_letters = dead_letters
        self._others = others
        self._refusals = Refusals()

    def send(self, records: Sequence[OutRecord]) -> Coroutine[Any, Any, None]:
        """Write records, of which either all or none are dead letters; returns once Kafka has acknowledged all of them.

        Raises as `Outbox.send` does.
        """
        if self._refusals:
            self._refusals.check(record.topic for record in records)
        is_dead_letter = bool(records) and records[0].topic.endswith(spec.DEAD_LETTER_SUFFIX)
        return self._send(self._dead_letters if is_dead_letter else self._others, records)

    async def _send(self, outbox: Outbox, records: Sequence[OutRecord]) -> None:
        try:
            await outbox.send(records)
        except TopicRefusedError as error:
            self._refusals.refused(error)
            raise
        if self._refusals:
            self._refusals.took(record.topic for record in records)

    def problem(self) -> str | None:
        """Return which topics take no records now, or None."""
        return self._refusals.problem()


@contextlib.asynccontextmanager
async def opened(options: dict[str, Any]) -> AsyncIterator[Outgoing]:
    """Hold the outgoing side; `options` are those of `bridge.connect.kafka_options`."""
    dead_letters, others = Outbox(options), Outbox(options)
    try:
        yield Outgoing(dead_letters, others)
    finally:
        await asyncio.gather(dead_letters.close(), others.close())

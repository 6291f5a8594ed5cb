"""Follow topics without a group."""

from collections.abc import AsyncIterator, Collection
from typing import Any, Self

import aiokafka

from bridge import closing, connect
from bridge.command import Record
from bridge.intake import inflation, tolerant
from bridge.settings import Settings

POLL_MS = 200


class Follower:
    """An open consumer of whole topics, which must be there; nothing is committed."""

    def __init__(self, settings: Settings, topics: Collection[str], *, from_beginning: bool = False) -> None:
        self._from_beginning = from_beginning
        inflation.bound()
        self._consumer = aiokafka.AIOKafkaConsumer(
            *topics,
            **connect.kafka_options(settings),
            isolation_level="read_committed",  # lifecycle events are written in transactions
        )

    async def __aenter__(self) -> Self:
        """Start; every record that is written after this is seen."""
        try:
            await self._consumer.start()
            # The client looks for its first positions by itself; a seek while it does so can be lost.
            for partition in self._consumer.assignment():
                await self._consumer.position(partition)
            if self._from_beginning:
                offsets = await self._consumer.beginning_offsets(self._consumer.assignment())
                for partition, offset in offsets.items():
                    self._consumer.seek(partition, offset)
        except BaseException:
            await closing.close(self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await closing.close(self._consumer)

    async def __aiter__(self) -> AsyncIterator[Record]:
        """Yield records as they come, without end."""
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=POLL_MS)
            except UnicodeDecodeError:
                batches = await self._around_broken_header()
            for found in batches.values():
                for one in found:
                    yield Record(
                        one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, tuple(one.headers)
                    )

    async def _around_broken_header(self) -> dict[Any, Any]:
        """Take what the client cannot parse: records with a header name that is not UTF-8."""
        positions = {found: await self._consumer.position(found) for found in self._consumer.assignment()}
        batches = {}
        for partition, (found, after) in (await tolerant.read(self._consumer, positions)).items():
            self._consumer.seek(partition, after)
            batches[partition] = found
        return batches

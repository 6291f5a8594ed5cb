"""Read dead-letter topics without a group: forwards, newest first, or some places; a block at a time in memory."""

import contextlib
import heapq
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, UnsupportedCodecError
from aiokafka.structs import ConsumerRecord

from bridge import closing, errors
from bridge.command import Record
from bridge.deadletter import letter
from bridge.deadletter.letter import Letter, Place
from bridge.deadletter.selection import Selection
from bridge.intake import inflation, received, tolerant

POLL_MS = 500
SILENCE_MAX = timedelta(seconds=30)
BLOCK = 200  # offsets that are read at once when going backwards
GAP_MAX = 100  # offsets that are read over rather than sought over

_Batches: TypeAlias = "Mapping[TopicPartition, Sequence[ConsumerRecord[Any, Any]]]"

Spans: TypeAlias = Mapping[TopicPartition, tuple[int, int]]
"""What there is to read of each partition: from an offset up to, not with, another."""


class Shelf:
    """An open reader; one thing at a time is read with it."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def spans(self, partitions: Mapping[str, int], since_ms: int | None = None) -> Spans:
        """Return what there is to read now of topics with so many partitions, from a time on."""
        tps = [TopicPartition(topic, number) for topic, count in partitions.items() for number in range(count)]
        begins = await self._consumer.beginning_offsets(tps)
        ends = await self._consumer.end_offsets(tps)
        if since_ms is not None:
            found = await self._consumer.offsets_for_times(dict.fromkeys(tps, max(since_ms, 0)))
            begins = {tp: ends[tp] if found[tp] is None else found[tp].offset for tp in tps}
        return {tp: (begins[tp], ends[tp]) for tp in tps if begins[tp] < ends[tp]}

    async def forwards(self, spans: Spans) -> AsyncIterator[Record]:
        """Yield every record, partition by partition, in the order of their offsets."""
        for tp in sorted(spans):
            async for record in self._read(tp, *spans[tp]):
                yield record

    async def newest_first(self, spans: Spans, selection: Selection) -> AsyncIterator[Letter]:
        """Yield the letters that are meant, the newest of all partitions first."""
        backwards = {tp: self._backwards(tp, *span, selection) for tp, span in spans.items()}
        heads: list[tuple[int, TopicPartition, Letter]] = []
        for tp, letters in backwards.items():
            async for first in letters:
                heapq.heappush(heads, (-first.timestamp_ms, tp, first))
                break
        while heads:
            _, tp, newest = heapq.heappop(heads)
            yield newest
            async for following in backwards[tp]:
                heapq.heappush(heads, (-following.timestamp_ms, tp, following))
                break

    async def pick(self, places: Iterable[Place]) -> dict[Place, Record]:
        """Return the records at some places, those that are there."""
        wanted: dict[TopicPartition, list[int]] = defaultdict(list)
        for topic, partition, offset in places:
            wanted[TopicPartition(topic, partition)].append(offset)
        found: dict[Place, Record] = {}
        for tp, offsets in wanted.items():
            for run in _runs(sorted(offsets)):
                among = frozenset(run)
                async for record in self._read(tp, run[0], run[-1] + 1):
                    if record.offset in among:
                        found[record.topic, record.partition, record.offset] = record
        return found

    async def _backwards(self, tp: TopicPartition, begin: int, end: int, selection: Selection) -> AsyncIterator[Letter]:
        while end > begin:
            start = max(begin, end - BLOCK)
            letters = [
                read
                async for record in self._read(tp, start, end)
                if selection.takes(read := letter.read(record), record.key)
            ]
            for each in reversed(letters):
                yield each
            end = start

    async def _read(self, tp: TopicPartition, begin: int, end: int) -> AsyncIterator[Record]:
        consumer = self._consumer
        consumer.assign([tp])
        consumer.seek(tp, begin)
        heard_at = time.monotonic()
        while await consumer.position(tp) < end:
            records = await self._poll(tp)
            for record in records:
                if record.offset >= end:
                    return
                yield received.damaged(record)
            if records:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > SILENCE_MAX.total_seconds():
                raise errors.ConnectError(f"Kafka has fallen silent about {tp.topic}: see that it is up, run it again.")

    async def _poll(self, tp: TopicPartition) -> "Sequence[ConsumerRecord[Any, Any]]":
        try:
            batches: _Batches = await self._consumer.getmany(tp, timeout_ms=POLL_MS)
        except (CorruptRecordException, UnsupportedCodecError):
            return await self._read_past_damage(tp)
        except KafkaError:
            raise
        except Exception:  # noqa: BLE001 - the client's parsers raise whatever they like at bytes that are not sound
            return await self._read_past_damage(tp)
        return batches.get(tp, [])

    async def _read_past_damage(self, tp: TopicPartition) -> "Sequence[ConsumerRecord[Any, Any]]":
        """Take what breaks the client: none of ours, but whoever may write to the topic can put it there."""
        position = await self._consumer.position(tp)
        found = await tolerant.read(self._consumer, {tp: position})
        empty: tuple[list[ConsumerRecord[Any, Any]], int] = ([], position)
        records, after = found.get(tp, empty)
        self._consumer.seek(tp, after)
        return records


def _runs(offsets: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for offset in offsets:
        if runs and offset - runs[-1][-1] <= GAP_MAX:
            runs[-1].append(offset)
        else:
            runs.append([offset])
    return runs


def partition_counts(topics: Collection[str], there: Mapping[str, int]) -> dict[str, int]:
    """Return the topics that are there, with their numbers of partitions."""
    return {topic: there[topic] for topic in sorted(topics) if topic in there}


@contextlib.asynccontextmanager
async def opened(options: dict[str, Any]) -> AsyncIterator[Shelf]:
    """Hold a shelf; `options` are those of `bridge.connect.kafka_options`."""
    inflation.bound()
    consumer = AIOKafkaConsumer(
        **options, isolation_level="read_committed", auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        await consumer.start()
        yield Shelf(consumer)
    except KafkaError as error:
        raise errors.BridgeError(
            f"Kafka refuses to be read: {type(error).__name__}: {error}. It needs Read on the dead-letter topics."
        ) from error
    finally:
        await closing.close(consumer)

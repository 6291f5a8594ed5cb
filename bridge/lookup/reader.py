"""Read a little of Kafka's topics: at a place, from a time on, or the newest of a partition; all of it bounded."""

import asyncio
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge import errors
from bridge.command import Record
from bridge.intake import received, tolerant
from bridge.lookup import sieve
from bridge.lookup.page import Page
from bridge.producer import partitioner

FETCH_BYTES = 4 * 1024 * 1024
BLOCK = 20_000  # offsets that are read at once when going backwards
LATEST = -1

Wanted = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Bound:
    """How much of one partition is looked through at most."""

    records: int
    bytes: int


@dataclass(slots=True)
class Looked:
    """Where was looked: how many records were passed over there, and how many of them were meant."""

    where: str
    how: str
    records: int = 0
    found: int = 0


@dataclass(slots=True)
class Reader:
    """Reads side by side what it is asked for; `partitions` counts those of every topic that is there."""

    consumer: AIOKafkaConsumer
    partitions: Mapping[str, int]
    looked: list[Looked] = field(default_factory=list)

    def of_key(self, topic: str, key: bytes) -> TopicPartition:
        """Return the partition that we, and most clients, write a key to."""
        return TopicPartition(topic, partitioner.chosen(key, range(self.partitions[topic])))

    def all_of(self, topic: str) -> list[TopicPartition]:
        """Return every partition of a topic; none where it is not there."""
        return [TopicPartition(topic, number) for number in range(self.partitions.get(topic, 0))]

    async def at(self, topic: str, partition: int, offset: int) -> Record | None:
        """Return the record at a place, None where there is none (any more)."""
        tp = TopicPartition(topic, partition)
        looked = self._looks(tp, f"at {offset}")
        if partition >= self.partitions.get(topic, 0):
            return None
        begins, ends = await self.spans([tp])
        if not begins[tp] <= offset < ends[tp]:
            return None
        found = await self._through(tp, offset, offset + 1, None, lambda record: record.offset == offset, looked)
        return found[0] if found else None

    async def after(
        self,
        tp: TopicPartition,
        times_ms: Sequence[int],
        needles: Collection[bytes],
        wanted: Wanted,
        bound: Bound,
    ) -> list[Record]:
        """Return what is wanted among the records from some times on; `bound` is for each of the times."""
        found: list[Record] = []
        if not times_ms:
            return found
        looked = self._looks(tp, "from its time on" if len(times_ms) == 1 else f"from {len(times_ms)} times on")
        end = (await self.consumer.end_offsets([tp]))[tp]
        read_to = 0
        for time_ms in sorted(times_ms):
            offset = (await self.consumer.offsets_for_times({tp: max(time_ms, 0)}))[tp]
            if offset is None or offset.offset < read_to:
                continue  # nothing is so young, or it is read already
            read_to = min(end, offset.offset + bound.records)
            found += await self._through(tp, offset.offset, read_to, needles, wanted, looked, bound.bytes)
        return found

    async def newest(
        self, tps: Sequence[TopicPartition], needles: Collection[bytes], wanted: Wanted, bound: Bound
    ) -> list[Record]:
        """Return what is wanted among the newest records of partitions, oldest first.

        It goes back in blocks, in each partition only until one of them holds something.
        """
        begins, ends = await self.spans(tps)
        found: list[Record] = []
        for tp in tps:  # one after the other: what each fetch brings is held in memory
            if begins[tp] < ends[tp]:
                found += await self._backwards(
                    tp, max(begins[tp], ends[tp] - bound.records), ends[tp], bound, needles, wanted
                )
        return found

    async def between(
        self, tp: TopicPartition, begin: int, end: int, needles: Collection[bytes], wanted: Wanted, bound: Bound
    ) -> list[Record]:
        """Return what is wanted from an offset up to, not with, another."""
        looked = self._looks(tp, "what is not done")
        return await self._through(tp, begin, min(end, begin + bound.records), needles, wanted, looked, bound.bytes)

    async def spans(
        self, tps: Sequence[TopicPartition]
    ) -> tuple[Mapping[TopicPartition, int], Mapping[TopicPartition, int]]:
        """Return where partitions begin and end now."""
        return await self.consumer.beginning_offsets(tps), await self.consumer.end_offsets(tps)

    async def _backwards(
        self, tp: TopicPartition, begin: int, end: int, bound: Bound, needles: Collection[bytes], wanted: Wanted
    ) -> list[Record]:
        looked = self._looks(tp, f"the newest {end - begin}")
        left = bound.bytes
        while end > begin and left > 0:
            start = max(begin, end - BLOCK)
            if found := await self._through(tp, start, end, needles, wanted, looked, left):
                return found
            left -= FETCH_BYTES
            end = start
        return []

    async def _through(
        self,
        tp: TopicPartition,
        begin: int,
        end: int,
        needles: Collection[bytes] | None,
        wanted: Wanted,
        looked: Looked,
        bytes_max: int = FETCH_BYTES,
    ) -> list[Record]:
        """Return what is wanted of a part of a partition; without `needles` everything is parsed."""
        found: list[Record] = []
        while begin < end and bytes_max > 0:
            page = await tolerant.fetch(self.consumer, {tp: begin}, min(FETCH_BYTES, bytes_max))
            if tp not in page:
                raise errors.ConnectError(f"{tp.topic}/{tp.partition} has no leader now: try again.")
            data, aborted = page[tp]
            there = [each for each in sieve.batches(data) if each.first < end]
            if not there:
                break
            bytes_max -= len(data)
            data = data[: there[-1].end]  # what lies behind is not asked for, or was cut by the broker
            looked.records += sum(min(each.after, end) - max(each.first, begin) for each in there)
            records = await self._parsed(tp, Page(data, there, aborted, begin), needles)
            found += [record for record in records if begin <= record.offset < end and wanted(record)]
            begin = max(begin + 1, there[-1].after)
        looked.found += len(found)
        return found

    async def _parsed(self, tp: TopicPartition, page: Page, needles: Collection[bytes] | None) -> list[Record]:
        """Return the records that may hold a needle; in a thread, as to parse what is compressed takes long."""
        try:
            return await asyncio.to_thread(page.records, tp, needles)
        except Exception:  # noqa: BLE001 - the client's parsers raise whatever they like at bytes that are not sound
            found = await tolerant.read(self.consumer, {tp: page.begin})
            return [received.damaged(each) for each in found.get(tp, ([], page.begin))[0]]

    def _looks(self, tp: TopicPartition, how: str) -> Looked:
        self.looked.append(Looked(f"{tp.topic}/{tp.partition}", how))
        return self.looked[-1]


async def learn(consumer: AIOKafkaConsumer, topics: Collection[str]) -> None:
    """Let a consumer know where topics are: by itself it asks for one at a time, 100 ms apart."""
    await consumer._client.set_topics(list(topics))  # noqa: SLF001 - without an assignment there is no other way


def in_order(records: Collection[Record]) -> list[Record]:
    """Return records once each, by time."""
    once = {(record.topic, record.partition, record.offset): record for record in records}
    return sorted(once.values(), key=operator.attrgetter("timestamp_ms", "topic", "partition", "offset"))

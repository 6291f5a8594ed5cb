"""Read a partition past what breaks the client.

A header name that is not UTF-8, a batch whose CRC is wrong or whose compression nobody knows make every poll of
aiokafka raise, with the position unmoved; and to seek past a record does not help, as its whole batch is parsed again.
So the batch is fetched once more and parsed by the client's own Python parser, with names that tolerate such bytes. Of
a batch that nobody can parse, one record stands for all of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, SupportsIndex, overload

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import _DefaultRecordBatchPy as PythonBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import ConsumerRecord

from bridge.intake.inflation import InflatedTooLargeError

LOG_OVERHEAD = 12  # a batch: its offset, 8 bytes, its length, 4 bytes, then as many as that
PARTITION_BYTES_MAX = 1024 * 1024  # a larger batch comes whole, if it is the first
FETCH_BYTES_MAX = 16 * 1024 * 1024


class Damage(str):
    """A header name that tells what is wrong with its record; `reason` says it in words."""

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, text: str, reason: str) -> Self:
        """Take the name as far as it can be read."""
        damage = super().__new__(cls, text)
        damage.reason = reason
        return damage


class BatchDamage(Damage):
    """Stands in the place of the headers of a batch that cannot be parsed."""

    __slots__ = ()


class _TolerantBytes(bytearray):
    """The bytes of a batch, whose pieces decode as names whatever they hold."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> "_TolerantBytes": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "int | _TolerantBytes":
        if isinstance(index, slice):
            return _TolerantBytes(super().__getitem__(index))
        return super().__getitem__(index)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        try:
            return super().decode(encoding, errors)
        except UnicodeDecodeError:
            return Damage(super().decode(encoding, "backslashreplace"), "a header name is not UTF-8 text")


@dataclass(frozen=True, slots=True)
class _DamagedRecord:
    """What stands for a batch that cannot be parsed, as the client passes a record on."""

    offset: int
    timestamp: int
    value: bytes
    headers: tuple[tuple[str, None], ...]
    timestamp_type: int = 0
    key: None = None
    checksum: None = None


class _DamagedBatch:
    """A batch that cannot be parsed: one record, whose value is the bytes of all."""

    is_control_batch = False
    is_transactional = False
    producer_id = None

    def __init__(self, batch: PythonBatch, piece: bytes, position: int, reason: str) -> None:
        self.base_offset = batch.base_offset
        self.next_offset = max(batch.next_offset, position + 1)
        what = f"the records {batch.base_offset} to {batch.next_offset - 1} cannot be read: {reason}"
        self._record = _DamagedRecord(
            offset=max(batch.base_offset, position),
            timestamp=max(batch.max_timestamp, 0),
            value=piece,
            headers=((BatchDamage("", what), None),),
        )

    def __iter__(self) -> Iterator[_DamagedRecord]:
        return iter((self._record,))


class _TolerantRecords:
    """The batches of a fetch, as the client walks them."""

    def __init__(self, data: bytes, position: int) -> None:
        self._records = MemoryRecords(data)
        self._data = data
        self._place = 0
        self._position = position

    def has_next(self) -> bool:
        return self._records.has_next()

    def next_batch(self) -> Any:
        batch: Any = self._records.next_batch()
        end = self._place + LOG_OVERHEAD + int.from_bytes(self._data[self._place + 8 :][:4])
        piece, self._place = self._data[self._place : end], end
        if not hasattr(batch, "is_transactional"):
            return batch  # from before Kafka 0.11: it has no headers
        return _tolerant(piece, self._position)


def _tolerant(piece: bytes, position: int) -> "PythonBatch | _DamagedBatch":
    batch = PythonBatch(piece)
    if not batch.validate_crc():
        return _DamagedBatch(batch, piece, position, "the CRC is wrong")
    try:
        for _ in _parsed(PythonBatch(piece)):
            pass
    except InflatedTooLargeError as error:
        return _DamagedBatch(batch, piece, position, str(error))
    except Exception as error:  # noqa: BLE001 - decompressors and parsers raise whatever they like at such bytes
        return _DamagedBatch(batch, piece, position, type(error).__name__)
    return _parsed(batch)


def _parsed(batch: PythonBatch) -> PythonBatch:
    batch._maybe_uncompress()  # noqa: SLF001 - the bytes must be wrapped between this and the parsing
    batch._buffer = _TolerantBytes(batch._buffer)  # noqa: SLF001 - as above
    return batch


async def read(
    consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]
) -> dict[TopicPartition, tuple[list["ConsumerRecord[Any, Any]"], int]]:
    """Return, by partition, the records from its position on that one fetch brings, and the position behind them.

    Partitions that have no leader now are left out. Raises what the client raises.
    """
    fetched = await fetch(consumer, positions)
    return {tp: _parse(tp, data, aborted, positions[tp]) for tp, (data, aborted) in fetched.items()}


async def fetch(
    consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int], bytes_max: int = PARTITION_BYTES_MAX
) -> dict[TopicPartition, tuple[bytes, Any]]:
    """Return, by partition, the bytes from its position on that one fetch brings, and its aborted transactions.

    As for the rest, like `read`.
    """
    client = consumer._client  # noqa: SLF001 - the client has no public way to fetch
    by_leader: dict[int, dict[str, list[tuple[int, int, int]]]] = defaultdict(lambda: defaultdict(list))
    for tp, position in positions.items():
        leader = client.cluster.leader_for_partition(tp)
        if leader is not None and leader >= 0:
            by_leader[leader][tp.topic].append((tp.partition, position, bytes_max))
    found: dict[TopicPartition, tuple[bytes, Any]] = {}
    for leader, topics in by_leader.items():
        request = FetchRequest(0, 0, FETCH_BYTES_MAX, READ_COMMITTED, list(topics.items()))
        response = await client.send(leader, request)
        for topic, partitions in response.topics:
            for number, error_code, _, *rest in partitions:
                if not error_code:
                    aborted = rest[2] if response.API_VERSION >= 11 else rest[-2]
                    found[TopicPartition(topic, number)] = rest[-1], aborted
    return found


def _parse(
    tp: TopicPartition, data: bytes, aborted: Any, position: int
) -> tuple[list["ConsumerRecord[Any, Any]"], int]:
    # The client's own walk: it passes over control records and aborted transactions.
    records = PartitionRecords(
        tp, _TolerantRecords(data, position), aborted, position, None, None, False, READ_COMMITTED
    )
    return list(records), records.next_fetch_offset

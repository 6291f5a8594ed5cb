"""Put dead letters back: in the order of their originals, each once, by transactions that mark what they wrote."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerFenced

from bridge import errors
from bridge.command import REPLAYS_HEADER, Record
from bridge.deadletter import letter as letters
from bridge.deadletter.letter import Letter, Place
from bridge.deadletter.record import PREFIX
from bridge.deadletter.shelf import Shelf, Spans
from bridge.outcomes.event import OutRecord
from bridge.producer.lines import REQUEST_BYTES_MAX

ROUND = 10_000  # letters that are put in order at once
CHUNK = 200  # letters of one transaction, at most
TRACE_HEADERS = frozenset({"traceparent", "ce_traceparent"})
CHUNK_BYTES = 8 * 1024 * 1024
TRANSACTION_TIMEOUT = timedelta(seconds=30)
TRANSACTION_TIMEOUT_MS = 10_000  # after which Kafka aborts what a killed replay had begun: readers wait for that
STOP_TIMEOUT = timedelta(seconds=5)

Rank: TypeAlias = tuple[str, int, int, str]
Wanted: TypeAlias = Callable[[Letter, bytes | None], bool]


async def in_order(shelf: Shelf, spans: Spans, wanted: Wanted) -> AsyncIterator[list[Letter]]:
    """Yield the letters that are wanted in the order of their originals, a round at a time, copies left out.

    A round is read while the one before it is done with, so that any number of letters fits in memory.
    """
    after: Rank | None = None
    while True:
        found: dict[Rank, Letter] = {}
        async for record in shelf.forwards(spans):
            each = letters.read(record)
            rank = order(each)
            if (after is None or rank > after) and wanted(each, record.key):
                found.setdefault(rank, each)
                if len(found) >= 2 * ROUND:
                    found = {rank: found[rank] for rank in sorted(found)[:ROUND]}
        ranks = sorted(found)[:ROUND]
        if not ranks:
            return
        after = ranks[-1]
        yield [found[rank] for rank in ranks]


def order(letter: Letter) -> Rank:
    """Return what letters are put in order by: where their originals lay, and when, if a topic was made anew."""
    topic, partition, offset = letter.place if letter.origin is None else letter.origin.place
    return topic, partition, offset, letter.identity


def chunks(found: Sequence[Letter], at_most: int = CHUNK) -> Iterator[list[Letter]]:
    """Cut letters into pieces that one transaction and the memory can hold."""
    chunk: list[Letter] = []
    size = 0
    for each in found:
        if chunk and (len(chunk) >= min(at_most, CHUNK) or size + each.size_bytes > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += each.size_bytes
    if chunk:
        yield chunk


def again(letter: Letter, record: Record) -> OutRecord:
    """Return the record that is written again: as it was, with its replays counted up.

    One with a trace also says where it lay before. Nothing is decided by that; the new try's span links to the one
    before by it.
    """
    was = letters.original(record)
    origin = letter.origin
    topic = letter.place[0] if origin is None else origin.topic
    place: tuple[tuple[str, bytes], ...] = ()
    if origin is not None and any(name in TRACE_HEADERS for name, _ in was.headers):
        told = {"topic": topic, "partition": origin.partition, "offset": origin.offset, "timestamp": origin.timestamp}
        place = tuple((PREFIX + name, str(part).encode(errors="replace")) for name, part in told.items())
    replays = (REPLAYS_HEADER, str(letter.replays + 1).encode())
    return OutRecord(topic, was.key, was.value, (*was.headers, *place, replays))


class TooLargeError(errors.BridgeError):
    """A record is larger than its topic takes: there is one more header on it than when it came."""


class Writer:
    """A transactional producer of which there is one in a group: who comes later stops who was there before."""

    def __init__(self, options: dict[str, Any], group: str) -> None:
        self._options = options
        self._id = f"{group}.dlq"
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Stop any other writer of the group, and abort what it had begun; raises `ConnectError`."""
        producer = AIOKafkaProducer(
            **self._options,
            transactional_id=self._id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_request_size=REQUEST_BYTES_MAX,
        )
        self._producer = producer
        with _told():
            async with asyncio.timeout(TRANSACTION_TIMEOUT.total_seconds()):
                await producer.start()

    async def stop(self) -> None:
        """Close the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
                    await producer.stop()

    async def write(self, records: Sequence[tuple[OutRecord, int | None]], marks: Sequence[OutRecord]) -> list[Place]:
        """Write records, each to its partition where that is there, and marks: all or none; return their places.

        Raises `TooLargeError`, after which `start` must be called again, and other `BridgeError`s.
        """
        producer = self._producer
        if producer is None:
            raise RuntimeError("the writer is used before it is started")
        try:
            with _told():
                async with asyncio.timeout(TRANSACTION_TIMEOUT.total_seconds()):
                    await producer.begin_transaction()
                    sent = [await _send(producer, record, partition) for record, partition in records]
                    sent += [await _send(producer, record, None) for record in marks]
                    placed = await asyncio.gather(*sent)
                    await producer.commit_transaction()
        except BaseException:
            await _abort(producer)
            raise
        return [(it.topic, it.partition, it.offset) for it in placed[: len(records)]]


async def _abort(producer: AIOKafkaProducer) -> None:
    # Who reads the topics waits for it. If it does not come about, Kafka does it after the transaction's own time.
    with contextlib.suppress(TimeoutError, KafkaError):
        async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
            await producer.abort_transaction()


async def _send(producer: AIOKafkaProducer, record: OutRecord, partition: int | None) -> "asyncio.Future[Any]":
    there = await producer.partitions_for(record.topic)
    if partition is not None and partition not in there:  # the topic was made anew with fewer
        partition = partition % len(there) if record.key is None else None  # None: the key decides, as it always does
    headers = list(record.headers)
    if record.key is None and record.value is None:  # `send` refuses such a one
        batch = producer.create_batch()
        batch.append(timestamp=None, key=None, value=None, headers=headers)
        return await _future(producer.send_batch(batch, record.topic, partition=partition or 0))
    sending = producer.send(record.topic, key=record.key, value=record.value, headers=headers, partition=partition)
    return await _future(sending)


async def _future(sending: "Awaitable[asyncio.Future[Any]]") -> "asyncio.Future[Any]":
    acknowledgement = await sending
    acknowledgement.add_done_callback(lambda done: done.cancelled() or done.exception())  # one of many tells the error
    return acknowledgement


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell errors of the client in words."""
    try:
        yield
    except ProducerFenced as error:
        raise errors.BridgeError(
            "Another `bridge dlq` of this group has begun to write, so this one stopped. Nothing is lost or doubled: "
            "what it did is marked."
        ) from error
    except MessageSizeTooLargeError as error:
        raise TooLargeError("Kafka refuses a record's size: raise max.message.bytes of its topic.") from error
    except TimeoutError as error:
        raise errors.ConnectError(
            "Kafka did not take the records in time. Nothing is lost or doubled: run it again, it goes on."
        ) from error
    except KafkaError as error:
        raise errors.BridgeError(
            f"Kafka refuses to write: {type(error).__name__}: {error}. It needs Write on the topics, and on the "
            "transactional id. Nothing is lost or doubled: run it again, it goes on."
        ) from error


@contextlib.asynccontextmanager
async def writing(options: dict[str, Any], group: str) -> AsyncIterator[Writer]:
    """Hold a started writer."""
    writer = Writer(options, group)
    try:
        await writer.start()
        yield writer
    finally:
        await writer.stop()

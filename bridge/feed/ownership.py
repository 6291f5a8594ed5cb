"""Who sweeps: the member of the group `{group}.feed` that holds the one partition of the topic `{group}.feed`.

The topic keeps the watermark and the watches, written in one transaction with the events that they cover; the
transactional id fences an owner that was thought dead.
"""

import asyncio
import contextlib
import json
import struct
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

import jiter
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTimestampError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from bridge.errors import KafkaAwayError
from bridge.feed import watch
from bridge.feed.membership import Membership
from bridge.feed.watchlist import Watchlist
from bridge.outcomes.event import OutRecord
from bridge.producer.lines import REQUEST_BYTES_MAX
from topics import spec

START_TIMEOUT = timedelta(seconds=20)
TRANSACTION_TIMEOUT = timedelta(seconds=20)
STOP_TIMEOUT = timedelta(seconds=5)

FAULTS = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTimestampError,
    ValueError,
    OverflowError,
    struct.error,
)
"""What Kafka and its client raise of a record that they will never take, however often it comes."""


class RefusedRecordError(Exception):
    """One of the records of a transaction is such that it is never taken; nothing of the transaction was written."""


class Ownership:
    """Takes part in the election; while it is the owner, writes events together with the watermark."""

    def __init__(self, options: dict[str, Any], group: str, watchlist: Watchlist | None = None) -> None:
        self._options = options
        self._topic = spec.feed_topic(group).name
        self._membership = Membership(options, self._topic, self._take)
        self._producer: AIOKafkaProducer | None = None
        self._watermarks: dict[str, int] = {}
        self.watchlist = watchlist if watchlist is not None else Watchlist()

    async def __aenter__(self) -> Self:
        """Make ready to take part; the first time that it is asked for joins the election."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave, so that another instance takes over at once."""
        await self.resign()
        await self._membership.leave()

    async def is_mine(self) -> bool:
        """Return, within a second, whether this process is the owner now, has read all, and is ready to write.

        Raises `KafkaError` or `TimeoutError`; what may be broken is made anew by the next call.
        """
        if not await self._membership.holds():
            await self.resign()
            self.watchlist.clear()
            return False
        if (offset := self.watchlist.room_from()) is not None:
            await self._membership.read_from(offset)
        if self._producer is None:
            await self._begin()
        return True

    async def keep(self) -> None:
        """Stay the owner through long work, which calls this often. Raises `KafkaAwayError` where it is another now."""
        if self._membership.is_due and not await self._membership.holds(0):
            raise KafkaAwayError(f"{self._topic} was given to another instance")

    async def _begin(self) -> None:
        producer = AIOKafkaProducer(**self._options, transactional_id=self._topic, max_request_size=REQUEST_BYTES_MAX)
        try:
            async with asyncio.timeout(START_TIMEOUT.total_seconds()):
                await producer.start()
            await self._membership.read_all()  # what the owner before wrote until it was fenced just now
        except BaseException:  # also when we are cancelled: what it had opened must not stay
            await _stop(producer)
            raise
        self._producer = producer

    def watermark_ms(self, namespace: str) -> int:
        """Return the close time, in ms since the epoch, up to which a namespace's ends are announced; 0 at first."""
        return self._watermarks.get(namespace, 0)

    async def write(self, records: Sequence[OutRecord], namespace: str, watermark_ms: int) -> None:
        """Write events, watches, and the watermark that covers them: all, or none of them.

        Raises `RefusedRecordError` where a record is to blame; then this process is the owner still, and can go on.
        After any other error resign: the broker aborts what was begun when the next producer comes. To abort it here
        would wait without end while Kafka is away.
        """
        producer = self._producer
        if producer is None:
            raise RuntimeError("only the owner of the feed writes to it")
        await self.keep()
        value = json.dumps({"closed_until_ms": watermark_ms}).encode()
        watermark = OutRecord(self._topic, namespace.encode(), value, ())
        sent: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(TRANSACTION_TIMEOUT.total_seconds()):
                await _transact(producer, [*records, watermark], sent)
        except Exception as error:
            if (fault := _fault(error, sent)) is None:
                raise
            await self._begin_anew()
            raise RefusedRecordError(f"{type(fault).__name__}: {fault}") from fault
        self._watermarks[namespace] = watermark_ms
        for record in records:
            if record.topic == self._topic and record.key is not None:
                self.watchlist.note(record.key, record.value)
                self._membership.note_written()

    async def _begin_anew(self) -> None:
        """Take a new producer, which aborts what the old one has begun; raises where another is the owner by now."""
        before = dict(self._watermarks)
        await self.resign()
        if not await self.is_mine() or self._watermarks != before:
            raise KafkaAwayError("another process has become the owner of the feed")

    def _take(self, records: Sequence[Any]) -> None:
        for record in records:
            if watch.is_key(record.key):
                self.watchlist.note(record.key, record.value, record.offset)
            elif self._producer is None:  # what the owner reads of its own is older than what it knows
                self._remember(record.key, record.value)

    def _remember(self, key: bytes | None, value: bytes | None) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a record that is none of ours tells nothing
            fields = jiter.from_json(value or b"")
            self._watermarks[(key or b"").decode()] = int(fields["closed_until_ms"])

    async def resign(self) -> None:
        """Give up the producer: what it may have begun is aborted when the next owner, or this one, begins anew."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)


async def _transact(
    producer: AIOKafkaProducer, records: Sequence[OutRecord], sent: list["asyncio.Future[Any]"]
) -> None:
    await producer.begin_transaction()
    for record in records:
        future = await producer.send(
            record.topic,
            key=record.key,
            value=record.value,
            headers=list(record.headers),
            timestamp_ms=record.timestamp_ms,
        )
        future.add_done_callback(_error)
        sent.append(future)
    await asyncio.gather(*sent)
    await producer.commit_transaction()


def _fault(error: Exception, sent: Sequence["asyncio.Future[Any]"]) -> BaseException | None:
    """Return what a record is to blame for, behind an error: the client may tell of what came of it instead."""
    found = [error, *(_error(future) for future in sent if future.done())]
    return next((one for one in found if isinstance(one, FAULTS)), None)


def _error(future: "asyncio.Future[Any]") -> BaseException | None:
    return None if future.cancelled() else future.exception()


async def _stop(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(TimeoutError, KafkaError):  # what ended the client's own tasks comes out here
        async with asyncio.timeout(STOP_TIMEOUT.total_seconds()):
            await producer.stop()

"""What Kafka's outcome topics hold, read as anybody would: confluent-kafka and plain JSON, no code of ours."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import confluent_kafka

OUTCOME_WITHIN_SECONDS = 40.0
POLL_SECONDS = 0.1
POLL_RECORDS = 500
STOP_WITHIN_SECONDS = 10.0


@dataclass(frozen=True)
class Record:
    """One record as it lies in Kafka."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The CloudEvents attributes of binary mode; what a dead letter holds need not be text."""
        return {
            name[3:]: (value or b"").decode(errors="backslashreplace")
            for name, value in self.headers
            if name.startswith("ce_")
        }

    @cached_property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.value or b"", parse_float=Decimal)
        return found

    @property
    def type(self) -> str | None:
        return self.attributes.get("type")

    @property
    def id(self) -> str | None:
        return self.attributes.get("id")

    def header(self, name: str) -> str:
        """Return the text of a header that is there once."""
        (value,) = [value for key, value in self.headers if key == name]
        return (value or b"").decode()

    def is_dead_letter_of(self, place: tuple[str, int, int]) -> bool:
        headers = dict(self.headers)
        told = (headers.get("dlq.topic"), headers.get("dlq.partition"), headers.get("dlq.offset"))
        return told == tuple(str(part).encode() for part in place)


class Journal:
    """Collects every record of some topics from their beginning on."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        self._consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "acceptance-reader", "enable.auto.commit": False}
        )
        self._topics = tuple(topics)
        self._records: list[Record] = []
        self._arrived = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="journal", daemon=True)

    def __enter__(self) -> Self:
        known = self._consumer.list_topics(timeout=STOP_WITHIN_SECONDS).topics
        self._consumer.assign(
            [
                confluent_kafka.TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING)
                for topic in self._topics
                for partition in known[topic].partitions
            ]
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(STOP_WITHIN_SECONDS)
        self._consumer.close()

    def records(self, wanted: Callable[[Record], bool]) -> list[Record]:
        """Return what has arrived, copies included; the order of each partition is kept."""
        with self._arrived:
            return [record for record in self._records if wanted(record)]

    def since(self, position: int) -> list[Record]:
        """Return what has arrived behind so many records."""
        with self._arrived:
            return self._records[position:]

    def forget(self) -> None:
        """Drop what has arrived: each look goes through all of it."""
        with self._arrived:
            self._records.clear()

    def remember(self, records: Iterable[Record]) -> None:
        """Take over what another journal has read, of a topic that is not there any more."""
        with self._arrived:
            self._records[:0] = records

    def events(
        self, *types: str, key: str | None = None, subject: str | None = None, cause: str | None = None
    ) -> list[Record]:
        """Return the events that have arrived, each once, however many copies there are."""

        def wanted(record: Record) -> bool:
            attributes = record.attributes
            return (
                (not types or attributes.get("type") in types)
                and "id" in attributes
                and not record.topic.endswith(".dlq")
                and (key is None or record.key == key.encode())
                and (subject is None or attributes.get("subject") == subject)
                and (cause is None or attributes.get("causationid") == cause)
            )

        first: dict[str | None, Record] = {}
        for record in self.records(wanted):
            first.setdefault(record.id, record)
        return list(first.values())

    def wait_for(
        self,
        count: int,
        *types: str,
        key: str | None = None,
        subject: str | None = None,
        cause: str | None = None,
        within: float = OUTCOME_WITHIN_SECONDS,
    ) -> list[Record]:
        """Return the events once there are `count` of them."""
        what = {"types": types, "key": key, "subject": subject, "cause": cause}
        self.wait_until(
            lambda: len(self.events(*types, key=key, subject=subject, cause=cause)) >= count,
            within,
            lambda: f"{count} of {what}; there are {self._told(key, subject, cause)}",
        )
        return self.events(*types, key=key, subject=subject, cause=cause)

    def one(self, kind: str, **which: Any) -> Record:
        """Return the only event of a type that tells of something, once it is there."""
        (record,) = self.wait_for(1, kind, **which)
        return record

    def dead_letter(self, place: tuple[str, int, int], within: float = OUTCOME_WITHIN_SECONDS) -> Record:
        """Return the dead letter of the record at a topic, partition and offset, once it is there."""
        self.wait_until(
            lambda: bool(self.records(lambda record: record.is_dead_letter_of(place))),
            within,
            lambda: f"a dead letter of {place}",
        )
        return self.records(lambda record: record.is_dead_letter_of(place))[0]

    def wait_until(self, condition: Callable[[], bool], within: float, what: Callable[[], str]) -> None:
        deadline = time.monotonic() + within
        with self._arrived:
            while not condition():
                left = deadline - time.monotonic()
                assert left > 0, f"not within {within} s: {what()}"
                self._arrived.wait(min(left, POLL_SECONDS * 10))

    def _told(self, key: str | None, subject: str | None, cause: str | None) -> list[tuple[Any, ...]]:
        names = {name for name in (key, subject, cause) if name}
        return [
            (record.type, record.attributes.get("subject"), record.attributes.get("causationid"), record.value)
            for record in self._records
            if not names or names & {record.attributes.get("subject"), record.attributes.get("causationid")}
        ][-30:]

    def _read(self) -> None:
        while not self._stopped.is_set():
            messages = self._consumer.consume(POLL_RECORDS, POLL_SECONDS)
            records = [_record(message) for message in messages if message.error() is None]
            if records:
                with self._arrived:
                    self._records += records
                    self._arrived.notify_all()


def _record(message: Any) -> Record:
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(message.headers() or ()),
    )

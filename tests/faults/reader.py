"""The independent reader of Kafka: confluent-kafka, no code of bridge or workers. `histories` is Temporal's."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

import confluent_kafka

from tests.acceptance.groups import ASK_SECONDS, Groups
from tests.acceptance.journal import Journal, Record
from tests.faults.evidence import Event, Letter, Progress, Sample
from tests.faults.ledger import Entry, Place

PAGE = 1000
POLL_SECONDS = 0.1
SAMPLE_SECONDS = 0.1
REPLIES = "bridge.replies"


class Sampler:
    """Notes committed offsets, and the number of answers, every 100 ms and at the end, from a thread each.

    Who asks for offsets may wait for a coordinator that is gone, while answers come all the same. The commits of topics
    that it `leaves_out` are set back on purpose.
    """

    every_seconds = SAMPLE_SECONDS

    def __init__(self, groups: Groups, group: str, sent: Callable[[], int], answered: Callable[[], int]) -> None:
        self._groups = groups
        self._group = group
        self._sent = sent
        self._answered = answered
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(look,), name=look.__name__, daemon=True)
            for look in (self._sample, self._count)
        ]
        self._failed: list[BaseException] = []
        self.samples: list[Sample] = []
        self.progress: list[Progress] = []
        self.leaves_out: Collection[str] = ()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Look for the last time; raise what ended a thread before, as laws hold of no samples whatever happened."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._failed:
            raise self._failed.pop()

    def _run(self, look: Callable[[], None]) -> None:
        try:
            while not self._stopped.wait(self.every_seconds):
                look()
            look()
        except BaseException as error:  # noqa: BLE001 - it is raised in the test's thread
            self._failed.append(error)

    def _sample(self) -> None:
        try:
            found = self._groups.committed(self._group)
        except (confluent_kafka.KafkaException, TimeoutError):
            return  # no coordinator now: there is nothing to hold the law against
        committed = {place: offset for place, offset in found.items() if place[0] not in self.leaves_out}
        self.samples.append(Sample(time.time() * 1000, committed))

    def _count(self) -> None:
        self.progress.append(Progress(time.time() * 1000, self._sent(), self._answered()))


def answers(journal: Journal, prefix: str) -> list[Event]:
    """Return the replies to commands whose ids begin with `prefix`, copies included."""
    return [
        _event(record, record.data["run_id"] or "", record.data["command_id"]) for record in _replies(journal, prefix)
    ]


class Answered:
    """The ids of the commands that have an answer; each record is looked at once, however often one asks."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._position = self.count = 0
        self._ids: set[str] = set()

    def ids(self, journal: Journal) -> set[str]:
        """Return the ids; a reply's key is the command's id. Another journal begins anew."""
        with self._lock:
            if journal is not self._journal:
                self._journal, self._position, self.count, self._ids = journal, 0, 0, set()
            fresh = journal.since(self._position)
            self._position += len(fresh)
            keys = [one.key for one in fresh if one.topic == REPLIES and one.key and one.key.startswith(self._prefix)]
            self.count += len(keys)
            self._ids.update(key.decode() for key in keys)
            return self._ids.copy()


def told(bootstrap: str, prefix: str) -> set[str]:
    """Return the ids of the commands that have an answer now: read anew, as a journal may be behind."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "faults-told", "enable.partition.eof": True}
    )
    found: set[str] = set()
    try:
        partitions = set(consumer.list_topics(REPLIES, timeout=ASK_SECONDS).topics[REPLIES].partitions)
        begin = confluent_kafka.OFFSET_BEGINNING
        consumer.assign([confluent_kafka.TopicPartition(REPLIES, partition, begin) for partition in partitions])
        while partitions:
            for message in consumer.consume(PAGE, POLL_SECONDS):
                if message.error() is not None:
                    partitions.discard(message.partition())
                elif (key := message.key()) and key.startswith(prefix.encode()):
                    found.add(key.decode())
    finally:
        consumer.close()
    return found


def answer_count(journal: Journal, prefix: str) -> int:
    return len(_replies(journal, prefix))


def _replies(journal: Journal, prefix: str) -> list[Record]:
    begin = prefix.encode()
    return journal.records(lambda one: one.topic == REPLIES and one.key is not None and one.key.startswith(begin))


def lifecycle(journal: Journal, workflow_ids: set[str]) -> list[Event]:
    return [
        _event(record, record.data["run_id"], record.data["command_id"])
        for record in journal.records(
            lambda one: one.topic.endswith(".lifecycle") and (one.key or b"").decode() in workflow_ids
        )
    ]


def place(record: Record) -> Place:
    """Return the coordinates that a dead letter gives of its record."""
    return (record.header("dlq.topic"), int(record.header("dlq.partition")), int(record.header("dlq.offset")))


def letters(journal: Journal, entries: Iterable[Entry]) -> list[Letter]:
    places = {entry.place for entry in entries}
    found = [
        Letter(
            place(record),
            record.header("dlq.reason"),
            datetime.fromisoformat(record.header("dlq.failed_at")).timestamp() * 1000,
        )
        for record in journal.records(lambda one: one.topic.endswith(".dlq"))
    ]
    return [letter for letter in found if letter.place in places]


def _event(record: Record, run_id: str, cid: str) -> Event:
    content = repr((record.topic, record.key, record.value, record.headers)).encode()
    return Event(str(record.id), str(record.type), run_id, cid, content)

"""What the tests of dead letters work with: a command line, a daemon, and Kafka looked at by another client."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import confluent_kafka
from confluent_kafka.admin import AdminClient

from tests.acceptance import program
from tests.acceptance.producer import RECORD_BYTES_MAX, Headers, Producer
from tests.acceptance.program import Program
from tests.cli.command_line import CommandLine, Ended
from tests.servers import topics
from tests.servers.fixtures import Kafka, Temporal

WITHIN_SECONDS = 60.0
POLL_SECONDS = 0.1

Found = tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]
"""Partition, offset, key, value, headers."""


@dataclass
class Desk:
    line: CommandLine
    kafka: Kafka
    temporal: Temporal
    producer: Producer
    admin: str
    make_daemon: Callable[[Mapping[str, str]], Program]

    def __post_init__(self) -> None:
        self.daemon = self.make_daemon({})

    def bridge(self, *words: str) -> Ended:
        return self.line.here("dlq", *words)

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """Return what a command prints, which must go well."""
        ended = self.bridge(*words, "-o", "json")
        assert ended.code == 0, ended.err
        return ended.rows

    def run_daemon(self, **more: str) -> None:
        """Start the daemon, unless it runs, with some settings changed."""
        if not self.daemon.is_running():
            self.daemon = self.make_daemon(more)
            self.daemon.start()
        program.wait_for_status(f"{self.admin}/readyz", 200, self.daemon)

    def make_topic(self, name: str, partitions: int = 6, **config: str) -> str:
        topics.make(self.kafka.bootstrap, name, partitions=partitions, config=config)
        return name

    def delete_topic(self, name: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap})
        admin.delete_topics([name])[name].result(WITHIN_SECONDS)
        until(lambda: name not in admin.list_topics(timeout=10).topics, f"{name} is gone")

    def topic(self, partitions: int = 6) -> str:
        """Return a topic of this test alone, with a dead-letter topic."""
        name = f"shop-{uuid.uuid4().hex[:8]}"
        self.make_topic(f"{name}.dlq", partitions, **{"max.message.bytes": str(RECORD_BYTES_MAX)})
        return self.make_topic(name, partitions)

    def letter(self, topic: str, offset: int, **more: Any) -> None:
        """Write a dead letter as the daemon would."""
        self.letters([letter(topic, offset, **more)])

    def letters(self, written: Sequence[tuple[str, bytes | None, bytes | None, Headers, int]]) -> None:
        producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 20,
                "message.max.bytes": RECORD_BYTES_MAX,
            }
        )
        for topic, key, value, headers, partition in written:
            producer.produce(topic, value, key, partition=partition, headers=list(headers))
            producer.poll(0)
        assert producer.flush(WITHIN_SECONDS) == 0

    def records(self, topic: str) -> list[Found]:
        """Return every committed record of a topic, partition by partition."""
        with self._consumer(topic) as consumer:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            found: list[Found] = []
            for number in sorted(partitions):
                tp = confluent_kafka.TopicPartition(topic, number, confluent_kafka.OFFSET_BEGINNING)
                _, end = consumer.get_watermark_offsets(tp, timeout=10)
                consumer.assign([tp])
                while end > 0:
                    (message,) = consumer.consume(1, WITHIN_SECONDS)
                    error = message.error()
                    if error is not None:
                        assert error.code() == confluent_kafka.KafkaError._PARTITION_EOF, error
                        break
                    headers: Any = message.headers() or ()
                    found.append((number, message.offset() or 0, message.key(), message.value(), tuple(headers)))
            return found

    @contextlib.contextmanager
    def _consumer(self, topic: str) -> Iterator[confluent_kafka.Consumer]:
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": f"looking-at-{topic}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,
                "isolation.level": "read_committed",
            }
        )
        try:
            yield consumer
        finally:
            consumer.close()


def letter(
    topic: str,
    offset: int,
    *,
    partition: int = 0,
    key: bytes | None = b"k",
    value: bytes | None = b"{}",
    headers: Headers = (),
    at: int = -1,
    **told: str,
) -> tuple[str, bytes | None, bytes | None, Headers, int]:
    """Return a dead letter of a record of `topic`; `at` is the partition that it lies in."""
    why: Mapping[str, str] = {
        "reason": "target_missing",
        "detail": "no run was found",
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "timestamp": "2026-11-21T12:00:00.000Z",
        "group": "desk",
        "attempts": "1",
        "failed_at": "2026-11-21T12:00:01.000Z",
        "replays": "0",
        **told,
    }
    added = tuple((f"dlq.{name}", text.encode()) for name, text in why.items())
    return f"{topic}.dlq", key, value, (*headers, *added), at


def until(condition: Callable[[], object], what: str, within: float = WITHIN_SECONDS) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within:g} s: {what}"
        time.sleep(POLL_SECONDS)

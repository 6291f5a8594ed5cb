"""The ends that the feed announces, as a consumer meets them: what each tells, and when it was there."""

import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import confluent_kafka

from tests.bench import rows
from tests.bench.kafka_side import KafkaSide
from topics.lifecycle import State

POLL_SECONDS = 0.05
POLL_RECORDS = 1000
STOP_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class End:
    """An end: of which run, when that closed and when it was read, in seconds since the epoch."""

    event_id: str
    workflow_id: str
    closed: float
    read: float


class Announcements:
    """Reads the lifecycle topic from now on, beside the driver."""

    def __init__(self, bootstrap: str, kafka: KafkaSide) -> None:
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "bench-announcements",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        self._begin = kafka.ends(rows.LIFECYCLE)
        self._ends: list[End] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="announcements", daemon=True)

    def __enter__(self) -> Self:
        self._consumer.assign(
            [confluent_kafka.TopicPartition(rows.LIFECYCLE, number, end) for number, end in self._begin.items()]
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(STOP_WITHIN_SECONDS)
        self._consumer.close()

    def of(self, prefix: str) -> list[End]:
        """Return the ends, copies included, of runs whose workflow ids begin so."""
        return [end for end in list(self._ends) if end.workflow_id.startswith(prefix)]

    def _read(self) -> None:
        while not self._stopped.is_set():
            messages = self._consumer.consume(POLL_RECORDS, POLL_SECONDS)
            now = time.time()
            self._ends += [end for message in messages if (end := _end(message, now)) is not None]


def _end(message: Any, now: float) -> End | None:
    headers = dict(message.headers() or ())
    if headers.get("ce_type") in (None, State.STARTED.event_type.encode()):
        return None
    data = json.loads(message.value())
    closed = datetime.fromisoformat(data["closed_at"]).timestamp()
    return End(headers["ce_id"].decode(), data["workflow_id"], closed, now)

"""A producer of another team: confluent-kafka, and the CloudEvents Kafka binding written by hand."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import confluent_kafka

SOURCE = "/acceptance/shop"
ACKNOWLEDGED_WITHIN_SECONDS = 60.0
RECORD_BYTES_MAX = 2 * 1024 * 1024

Form: TypeAlias = Literal["binary", "structured", "bare"]
Headers: TypeAlias = Sequence[tuple[str, bytes | None]]

FORMS: tuple[Form, ...] = ("binary", "structured", "bare")


@dataclass(frozen=True)
class Command:
    """What shall happen; `extensions` are CloudEvents attributes beside the required ones."""

    type: str
    data: Mapping[str, Any]
    id: str = field(default_factory=lambda: f"cmd-{uuid.uuid4()}")
    source: str = SOURCE
    extensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The business id."""
        return str(self.data[self.type.partition(".")[0] + "_id"])

    @property
    def workflow_id(self) -> str:
        return f"{self.type.partition('.')[0]}-{self.key}"


@dataclass(frozen=True)
class Sent:
    """A command that Kafka has acknowledged; bare JSON gets its id and source from where it lies."""

    command: Command
    id: str
    source: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


def encode(command: Command, form: Form) -> tuple[bytes, list[tuple[str, bytes | None]]]:
    """Return the value and the headers of a command in one of the three forms."""
    if form == "bare":
        plain = {name: value for name, value in command.extensions.items() if name in {"traceparent", "tracestate"}}
        return _json(command.data), [(name, value.encode()) for name, value in plain.items()]
    attributes = {
        "specversion": "1.0",
        "id": command.id,
        "source": command.source,
        "type": command.type,
        **command.extensions,
    }
    if form == "binary":
        headers: list[tuple[str, bytes | None]] = [("content-type", b"application/json")]
        return _json(command.data), headers + [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    content_type = b"application/cloudevents+json; charset=UTF-8"
    return _json(attributes | {"data": command.data}), [("content-type", content_type)]


class Producer:
    """Writes records and waits for Kafka's word."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "message.max.bytes": RECORD_BYTES_MAX,
                "linger.ms": 2,
            }
        )

    def send(self, command: Command, form: Form = "binary") -> Sent:
        """Write one command and return where it lies."""
        (sent,) = self.send_all([command], form)
        return sent

    def send_all(self, commands: Iterable[Command], form: Form = "binary") -> list[Sent]:
        """Write commands in order, without waiting between them."""
        commands = list(commands)
        places: dict[int, tuple[str, int, int, int]] = {}
        for number, command in enumerate(commands):
            value, headers = encode(command, form)
            self._produce(command.type, command.key.encode(), value, headers, number, places)
        self._flush(len(commands), places)
        return [_sent(command, form, *places[number]) for number, command in enumerate(commands)]

    def send_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> tuple[str, int, int]:
        """Write any record and return its topic, partition and offset."""
        places: dict[int, tuple[str, int, int, int]] = {}
        self._produce(topic, key, value, headers, 0, places)
        self._flush(1, places)
        return places[0][:3]

    def _produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        number: int,
        places: dict[int, tuple[str, int, int, int]],
    ) -> None:
        def acknowledged(error: object, message: Any) -> None:
            assert error is None, error
            places[number] = (message.topic(), message.partition(), message.offset(), message.timestamp()[1])

        self._producer.produce(topic, value, key, headers=list(headers), on_delivery=acknowledged)
        self._producer.poll(0)

    def _flush(self, count: int, places: Mapping[int, object]) -> None:
        self._producer.flush(ACKNOWLEDGED_WITHIN_SECONDS)
        assert len(places) == count, f"Kafka acknowledged {len(places)} of {count} records"


def _sent(command: Command, form: Form, topic: str, partition: int, offset: int, timestamp_ms: int) -> Sent:
    bare = form == "bare"
    return Sent(
        command=command,
        id=f"{topic}/{partition}/{offset}@{timestamp_ms}" if bare else command.id,
        source=f"/kafka/{topic}" if bare else command.source,
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp_ms=timestamp_ms,
    )


def _json(value: object) -> bytes:
    return json.dumps(value).encode()

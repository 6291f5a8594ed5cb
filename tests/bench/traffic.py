"""The commands that the bench sends: CloudEvents in binary mode with about 400 bytes of JSON."""

import datetime as dt
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import confluent_kafka

SOURCE = "/bench"
_REST = {
    "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
    "currency": "EUR",
    "lines": [
        {"description": "Consulting", "quantity": 3, "unit_price": "120.00", "tax_rate": "0.19"},
        {"description": "Travel", "quantity": 1, "unit_price": "89.90", "tax_rate": "0.07"},
    ],
    "issued_on": "2026-11-21",
    "due_on": "2026-12-21",
    "note": "Thank you for your order.",
}
_TAIL = b"," + json.dumps(_REST, separators=(",", ":")).encode()[1:]


@dataclass(frozen=True, slots=True)
class Order:
    """One command; `broken` ones are no JSON."""

    id: str
    key: str
    type: str
    broken: bool = False

    @property
    def workflow_id(self) -> str:
        """The workflow that it leads to."""
        return f"order-{self.key}"


def orders(prefix: str, count: int, type: str, *, keys: int | None = None, poison: int = 0) -> list[Order]:  # noqa: A002
    """Return commands with `keys` business ids (default: one each); every `poison`-th one is broken."""
    return [
        Order(
            f"{prefix}-{number}",
            f"{prefix}-{number % (keys or count)}",
            type,
            broken=bool(poison) and number % poison == 0,
        )
        for number in range(count)
    ]


class Sender:
    """Writes commands as fast as it can, or at a rate."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                "linger.ms": 1,
                "queue.buffering.max.messages": 2_000_000,
                "queue.buffering.max.kbytes": 2_000_000,
                "partitioner": "murmur2_random",
            }
        )

    def send(self, topic: str, orders: Iterable[Order]) -> None:
        """Write the commands; returns once Kafka has all of them."""
        for order in orders:
            self._produce(topic, order)
        self._flush()

    def send_at(self, topic: str, orders: Iterable[Order], rate: float) -> dict[str, int]:
        """Write the commands at `rate` a second; return when each was sent, in us, by workflow id."""
        sent: dict[str, int] = {}
        began = time.monotonic()
        for number, order in enumerate(orders):
            while (early := began + number / rate - time.monotonic()) > 0:
                time.sleep(min(early, 0.001))
            sent[order.workflow_id] = time.time_ns() // 1000
            self._produce(topic, order)
            self._producer.poll(0)
        self._flush()
        return sent

    def _produce(self, topic: str, order: Order) -> None:
        data = b'{"order_id":"%b"%b' % (order.key.encode(), _TAIL)
        self._producer.produce(
            topic, key=order.key, value=data[:-1] if order.broken else data, headers=list(_headers(order))
        )

    def _flush(self) -> None:
        if self._producer.flush(60):
            raise RuntimeError("Kafka did not take all commands within 60 s")


def _headers(order: Order) -> Iterator[tuple[str, bytes]]:
    yield "ce_specversion", b"1.0"
    yield "ce_id", order.id.encode()
    yield "ce_source", SOURCE.encode()
    yield "ce_type", order.type.encode()
    yield "ce_time", dt.datetime.now(dt.UTC).isoformat().encode()
    yield "content-type", b"application/json"

"""Read what becomes of commands: events, lifecycle, replies and dead letters, from now on."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import aiokafka
from aiokafka import errors as kafka_errors

from bridge import closing
from topics.spec import DEAD_LETTER_SUFFIX

POLL_MS = 100
CLOSE_SECONDS = 2.0
KAFKA_AWAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One record that tells of a command; `correlation_id` says of which."""

    topic: str
    type: str
    id: str
    key: str
    correlation_id: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def detail(self) -> str:
        """What the outcome says beside its type, in a few words."""
        words = [self.data.get(name) for name in ("reason", "detail", "score", "total", "to")]
        failure = self.data.get("failure")
        if isinstance(failure, Mapping):
            words.append(failure.get("message"))
        return ", ".join(str(word) for word in words if word not in (None, ""))


class Outcomes:
    """Follows the outcome topics from their ends at the time of opening."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        # No group: nothing is committed, and every partition is ours at once.
        self._consumer = aiokafka.AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap)

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            await self._consumer.seek_to_end()
        except BaseException:
            await closing.close(self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await closing.close(self._consumer)

    async def __aiter__(self) -> AsyncIterator[Outcome]:
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=POLL_MS)
            except kafka_errors.KafkaError:
                await asyncio.sleep(KAFKA_AWAY_SECONDS)  # the one who watches over Kafka says what has become of it
                continue
            for records in batches.values():
                for record in records:
                    yield outcome(record)


def outcome(record: aiokafka.ConsumerRecord[bytes, bytes]) -> Outcome:
    """Read one record; what is not as we write it is shown as far as it can be."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    key = (record.key or b"").decode(errors="replace")
    if record.topic.endswith(DEAD_LETTER_SUFFIX):
        data = {"reason": headers.get("dlq.reason", ""), "detail": headers.get("dlq.detail", "")}
        command = headers.get("ce_id", key)
        correlation_id = headers.get("ce_correlationid", command)
        return Outcome(record.topic, "dead letter", f"{record.partition}/{record.offset}", key, correlation_id, data)
    return Outcome(
        topic=record.topic,
        type=headers.get("ce_type", ""),
        id=headers.get("ce_id", ""),
        key=headers.get("ce_subject", key),
        correlation_id=headers.get("ce_correlationid", ""),
        data=_object(record.value),
    )


def _object(value: bytes | None) -> Mapping[str, Any]:
    try:
        data = json.loads(value or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}

"""Publish sample commands as a service would: CloudEvents in binary mode, keyed by the business id."""

import asyncio
import contextlib
import uuid
from datetime import UTC, datetime
from typing import Self

import aiokafka

from bridge.dev.samples.sample import Sample, Step
from topics.envelope import CLOUDEVENTS_SPECVERSION

SOURCE = "/bridge/dev"
CLOSE_SECONDS = 2.0


class Publisher:
    """An open producer."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)

    async def __aenter__(self) -> Self:
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):  # what it still holds would wait for a lost Kafka without end
                await self._producer.stop()

    async def publish(self, sample: Sample, step: Step) -> None:
        """Publish one command; returns once Kafka has it."""
        attributes = {
            "specversion": CLOUDEVENTS_SPECVERSION,
            "id": str(uuid.uuid4()),
            "source": SOURCE,
            "type": step.command,
            "subject": sample.business_id,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "correlationid": sample.correlation_id,
        }
        await self._producer.send_and_wait(
            step.command,
            key=sample.business_id.encode(),
            value=step.data.model_dump_json(exclude_none=True).encode(),
            headers=[
                ("content-type", b"application/json"),
                *((f"ce_{name}", value.encode()) for name, value in attributes.items()),
            ],
        )

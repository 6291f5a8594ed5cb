"""What the tests do with the lifecycle feed: one process's share in it, and what came of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import timedelta
from typing import Any

import jiter
from aiokafka import TopicPartition

from bridge.dispatch.callbackmode import CallbackMode
from bridge.feed import patrol
from bridge.feed.announced import Announced
from bridge.feed.ownership import Ownership
from bridge.routes import Route, Routes, Verb
from bridge.telemetry.metrics import Metrics
from tests.engine import kafka_side
from tests.engine.temporal_side import Stage
from tests.servers.fixtures import Kafka

OVERLAP = timedelta(seconds=60)


class Sweeper:
    """One process's share in the feed of a group; `out` says whether the starts are announced and committed."""

    def __init__(
        self,
        kafka: Kafka,
        stage: Stage,
        *,
        out: bool = True,
        routes: Sequence[Route] | None = None,
        reply_topics: Collection[str] | None = None,
        callbacks: CallbackMode | None = None,
    ) -> None:
        options = {"bootstrap_servers": kafka.bootstrap}
        self.ownership = Ownership(options, stage.group)
        self.announced = Announced(options, [stage.lifecycle])
        self.metrics = Metrics()
        self.namespace = stage.client.namespace

        async def handled(_: Collection[TopicPartition]) -> Callable[[TopicPartition, int], bool]:
            return lambda _, __: out

        rows = Routes([stage.route(Verb.START)] if routes is None else routes)
        self.patrol = patrol.of(
            stage.client,
            stage.group,
            rows,
            [stage.replies] if reply_topics is None else reply_topics,
            self.ownership,
            self.announced,
            handled,
            self.metrics,
            callbacks or CallbackMode(),
        )
        self._sweep = self.patrol.sweep

    @contextlib.asynccontextmanager
    async def owning(self) -> AsyncIterator["Sweeper"]:
        async with self.ownership:
            async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
                while not await self.ownership.is_mine():
                    pass
            await self.announced.open(self.ownership.watermark_ms(self.namespace) - 70_000)
            try:
                yield self
            finally:
                await self.announced.close()

    async def sweep(self) -> bool:
        return await self.patrol.go(OVERLAP, 0)


async def events(kafka: Kafka, stage: Stage) -> list[tuple[dict[str, str], dict[str, Any]]]:
    found = await kafka_side.read_all(kafka.bootstrap, stage.lifecycle)
    return [
        ({n: (v or b"").decode() for n, v in record.headers}, jiter.from_json(record.value or b"")) for record in found
    ]


async def swept(sweeper: Sweeper, kafka: Kafka, stage: Stage, count: int) -> list[dict[str, Any]]:
    """Sweep until so many events are there, at least twice; return their data."""
    async with asyncio.timeout(kafka_side.WITHIN_SECONDS):
        while True:
            await sweeper.sweep()
            if len(await events(kafka, stage)) >= count:
                break
    await sweeper.sweep()
    return [data for _, data in await events(kafka, stage)]


def states(data: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["run_id"], one["state"]) for one in data]


async def prepare(kafka: Kafka, stage: Stage) -> None:
    """Make the topics that the feed of the stage's group needs."""
    await kafka_side.make_topics(kafka.bootstrap, f"{stage.group}.feed", config={"cleanup.policy": "compact"})
    await kafka_side.make_topics(kafka.bootstrap, stage.lifecycle, stage.replies)


async def answers(kafka: Kafka, stage: Stage) -> list[dict[str, Any]]:
    """Return the data of all replies."""
    return [jiter.from_json(one.value or b"") for one in await kafka_side.read_all(kafka.bootstrap, stage.replies)]

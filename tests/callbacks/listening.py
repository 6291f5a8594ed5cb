"""One process's callback address over the real servers, without the rest of the daemon."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Collection

from aiokafka import TopicPartition

from bridge.admin import server
from bridge.callback import Signer
from bridge.dispatch.callbackmode import CallbackMode
from bridge.dispatch.temporal import Temporal
from bridge.feed.asking import Asking
from bridge.feed.callbacks.announcer import Announcer, Sender, Source
from bridge.feed.callbacks.application import Application
from bridge.feed.callbacks.memory import Memory
from bridge.feed.callbacks.protocol import Bounded
from bridge.feed.callbacks.refusals import Refusals
from bridge.feed.ends import Ends
from bridge.feed.lookup import Lookup
from bridge.producer import outbox
from bridge.routes import Routes, Verb
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric
from tests.callbacks import caller
from tests.engine import kafka_side
from tests.engine.temporal_side import Stage
from tests.servers import ports
from tests.servers.fixtures import Kafka


class Listening:
    """The parts; `out` says whether the starts are announced and committed, `through` stands before what is sent."""

    def __init__(
        self, kafka: Kafka, stage: Stage, *, out: bool = True, through: Callable[[Sender], Sender] = lambda it: it
    ) -> None:
        self._options = {"bootstrap_servers": kafka.bootstrap}
        self.address = f"{ports.HOST}:{ports.free()}"
        self.signer: Signer = caller.signer(self.address, stage.group)
        self.mode = CallbackMode("default", self.signer)
        self.metrics = Metrics()
        self.memory = Memory(self._options, [stage.lifecycle])
        self.lookup = Lookup(
            Ends(Asking(stage.client), stage.group), Routes([stage.route(Verb.START)]), stage.group, [stage.replies]
        )
        self._out = out
        self._through = through
        stage.temporal = Temporal(stage.client, stage.group, callbacks=self.mode)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Listening"]:
        refusals = Refusals(self.metrics)
        async with outbox.opened(self._options) as outgoing, asyncio.TaskGroup() as group:
            announcer = Announcer(
                {"default": Source(self.lookup, self.mode)},
                self.memory,
                self._through(outgoing),
                self._handled,
                self.metrics,
            )
            application = Application(self.signer, announcer.look, refusals, self.metrics)
            following = group.create_task(self.memory.run())
            await kafka_side.until(lambda: self.memory.is_open, "the memory is open")
            async with server.serve(
                application, self.address, "BRIDGE_CALLBACK_ADDRESS", http=functools.partial(Bounded, refusals=refusals)
            ):
                yield self
            following.cancel()

    async def _handled(self, _: Collection[TopicPartition]) -> Callable[[TopicPartition, int], bool]:
        return lambda _, __: self._out

    @property
    def counted(self) -> dict[str, int]:
        return {label: count for (label,), count in self.metrics._counts[Metric.CALLBACKS].items()}

    async def called(self, outcome: str, times: int = 1) -> None:
        await kafka_side.until(lambda: self.counted.get(outcome, 0) >= times, f"{outcome} {times} times")

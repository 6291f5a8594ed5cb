"""What tells of ends, put together: the feed, which one instance owns, and callbacks, which come to any of them."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from temporalio.client import Client

from bridge import connect
from bridge.admin import server
from bridge.callback import Signer
from bridge.dispatch import callbackmode
from bridge.dispatch.callbackmode import CallbackMode
from bridge.feed import patrol
from bridge.feed.announced import Announced
from bridge.feed.asking import Asking
from bridge.feed.callbacks import protocol
from bridge.feed.callbacks.announcer import Announcer, Source
from bridge.feed.callbacks.application import Application
from bridge.feed.callbacks.memory import Memory
from bridge.feed.callbacks.protocol import Bounded
from bridge.feed.callbacks.refusals import Refusals
from bridge.feed.ends import Ends
from bridge.feed.feed import Feed
from bridge.feed.lookup import Lookup
from bridge.feed.ownership import Ownership
from bridge.feed.watchlist import Watchlist
from bridge.intake import offsets
from bridge.producer.outgoing import Outgoing
from bridge.settings import Settings
from bridge.telemetry.health import Health
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric

CONNECTIONS_MAX = 500
RUNS_HELD_FOR_EACH_COMMAND = 2  # closed ones at once, and watched ones: a run takes less than a command that waits


class Feeding:
    """Announces how runs end. `modes` says, for each namespace, whether callbacks are in use."""

    def __init__(
        self,
        settings: Settings,
        clients: Sequence[Client],
        outgoing: Outgoing,
        consumer: Callable[[], AIOKafkaConsumer],
        health: Health,
        metrics: Metrics,
    ) -> None:
        """Take what the parts need; `consumer` gives the one of the commands."""
        self._settings = settings
        self._clients = clients
        self._outgoing = outgoing
        self._consumer = consumer
        self._health = health
        self._metrics = metrics
        self._signer = _signer(settings)
        self._memory = Memory(connect.kafka_options(settings), settings.routes.lifecycle_topics)
        self.modes: Mapping[str, CallbackMode] = callbackmode.modes(
            [client.namespace for client in clients], self._signer, health
        )

    async def run(self) -> None:
        """Work until cancelled. Raises `ConfigurationError` where the callback address cannot be listened on."""
        async with self._listening(), asyncio.TaskGroup() as group:
            group.create_task(self._feed().run(), name="feed")
            if self._signer is not None:
                group.create_task(self._memory.run(), name="memory")

    def _feed(self) -> Feed:
        settings, group, metrics = self._settings, self._settings.bridge.group_id, self._metrics
        options = connect.kafka_options(settings)
        held_max = RUNS_HELD_FOR_EACH_COMMAND * settings.bridge.max_waiting
        ownership = Ownership(options, group, Watchlist(held_max))
        announced = Announced(options, settings.routes.lifecycle_topics)
        patrols = [
            patrol.of(
                client, group, settings.routes, settings.bridge.reply_topics, ownership, announced, self._handled,
                metrics, self.modes[client.namespace], held_max,
            )
            for client in self._clients
        ]  # fmt: skip
        feed = Feed(ownership, announced, patrols, settings.bridge.sweep_interval, self._health)
        metrics.gauge(Metric.FEED_LAG_SECONDS, feed.lag_seconds)
        metrics.gauge(Metric.WATCHES, lambda: len(ownership.watchlist))
        metrics.gauge(Metric.WATCHES_LEFT_OUT, lambda: ownership.watchlist.left_out)
        return feed

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Serve the callback address, if there is one."""
        if self._signer is None:
            yield
            return
        announcer = Announcer(self._sources(), self._memory, self._outgoing, self._handled, self._metrics)
        refusals = Refusals(self._metrics)
        async with server.serve(
            Application(self._signer, announcer.look, refusals, self._metrics),
            self._settings.bridge.callback_address,
            "BRIDGE_CALLBACK_ADDRESS",
            http=functools.partial(Bounded, refusals=refusals),
            h11_max_incomplete_event_size=protocol.HEAD_BYTES_MAX,
            limit_concurrency=CONNECTIONS_MAX,
            proxy_headers=False,
        ):
            yield

    def _sources(self) -> Mapping[str, Source]:
        routes, group, replies = (
            self._settings.routes,
            self._settings.bridge.group_id,
            self._settings.bridge.reply_topics,
        )
        return {
            client.namespace: Source(
                Lookup(Ends(Asking(client), group), routes, group, replies), self.modes[client.namespace]
            )
            for client in self._clients
        }

    async def _handled(self, partitions: Collection[TopicPartition]) -> Callable[[TopicPartition, int], bool]:
        done = await offsets.done_before(self._consumer(), partitions)
        return lambda tp, offset: tp in done and done[tp].has_passed(offset)


def _signer(settings: Settings) -> Signer | None:
    url, secret = settings.bridge.callback_url, settings.bridge.callback_secret
    if url is None or secret is None:
        return None
    return Signer(url, secret.get_secret_value(), settings.bridge.group_id)

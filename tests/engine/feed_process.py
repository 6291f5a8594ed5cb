"""One process that owns the lifecycle feed, or stands by: `python -m tests.engine.feed_process`, to be killed."""

import asyncio
import sys
from collections.abc import Callable, Collection
from datetime import timedelta

from aiokafka import TopicPartition
from temporalio.client import Client

from bridge.dispatch.callbackmode import CallbackMode
from bridge.feed import patrol
from bridge.feed.announced import Announced
from bridge.feed.feed import Feed
from bridge.feed.ownership import Ownership
from bridge.routes import Route, Routes, Verb
from bridge.telemetry.health import Health
from bridge.telemetry.metrics import Metrics

INTERVAL = timedelta(milliseconds=200)


def feed(bootstrap: str, client: Client, group: str, lifecycle: str) -> Feed:
    """Return a feed whose commands are all announced and committed."""
    options = {"bootstrap_servers": bootstrap}
    ownership, announced = Ownership(options, group), Announced(options, [lifecycle])
    routes = Routes([Route(command="engine.do", verb=Verb.START, id="engine-{id}", lifecycle=lifecycle)])

    async def handled(_: Collection[TopicPartition]) -> Callable[[TopicPartition, int], bool]:
        return lambda _, __: True

    patrols = [patrol.of(client, group, routes, (), ownership, announced, handled, Metrics(), CallbackMode())]
    return Feed(ownership, announced, patrols, INTERVAL, Health())


async def main(bootstrap: str, address: str, group: str, lifecycle: str) -> None:
    await feed(bootstrap, await Client.connect(address), group, lifecycle).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

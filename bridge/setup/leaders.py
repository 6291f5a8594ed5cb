"""Wait until the leader of every partition serves it, so that who runs `setup` may use the topics at once."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient

from bridge import connect
from bridge.settings import Settings

POLL = timedelta(milliseconds=200)


async def wait_until_served(
    settings: Settings, admin: AIOKafkaAdminClient, names: Collection[str], made: Collection[str] = ()
) -> bool:
    """Return whether, within the connect time, the leaders of these topics answer for every partition.

    A broker learns of a topic a moment after it was made: those in `made` are waited for, others may be missing.
    """
    within = settings.bridge.connect_timeout
    try:
        async with asyncio.timeout(within.total_seconds()):
            while not _are_led(described := await _describe(admin, names), made):  # noqa: ASYNC110 - the cluster tells nobody
                await asyncio.sleep(POLL.total_seconds())
            await _ask_leaders(settings, described)
    except (TimeoutError, kafka_errors.KafkaError):
        return False
    return True


async def _describe(admin: AIOKafkaAdminClient, names: Collection[str]) -> list[Mapping[str, Any]]:
    # Asked for all: a request by name makes brokers create the topic where they are told to do that.
    described = await admin.describe_topics()
    return [topic for topic in described if topic["topic"] in names and not topic["error_code"]]


def _are_led(described: Sequence[Mapping[str, Any]], made: Collection[str]) -> bool:
    led = all(partition["leader"] >= 0 for topic in described for partition in topic["partitions"])
    return led and {topic["topic"] for topic in described} >= set(made)


async def _ask_leaders(settings: Settings, described: Sequence[Mapping[str, Any]]) -> None:
    """Return once every leader has told its end: brokers name it before it serves, and refuse for that while."""
    places = [TopicPartition(topic["topic"], one["partition"]) for topic in described for one in topic["partitions"]]
    if not places:
        return  # aiokafka's consumer cannot be stopped before it has done anything
    milliseconds = int(settings.bridge.connect_timeout.total_seconds() * 1000)
    async with AIOKafkaConsumer(**connect.kafka_options(settings), request_timeout_ms=milliseconds) as asker:
        await asker.end_offsets(places)  # asks again by itself

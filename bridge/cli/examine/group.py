"""The consumer group, as Kafka tells: who is in it, what is not done in each partition, and how old that is."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from bridge import closing, connect
from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.command import Record
from bridge.lookup import reader
from bridge.lookup.reader import Reader
from bridge.settings import Settings

CHECK = "group"
LAG_CHECK = "lag"
OLD = timedelta(seconds=30)  # what the alert BridgeEventsLate takes for late
SHOWN_MAX = 10  # partitions, those that are most behind


@dataclass(frozen=True, slots=True)
class Behind:
    """A partition in which something is not done; `offset` is where the group has come to, `age` the oldest's."""

    topic: str
    partition: int
    offset: int
    lag: int
    age: timedelta | None = None

    @property
    def is_late(self) -> bool:
        """Whether that is no more than what is under way."""
        return self.age is not None and self.age > OLD


async def examine(settings: Settings, admin: AIOKafkaAdminClient, partitions: Mapping[str, int]) -> list[Finding]:
    """Ask for the group; `partitions` counts those of every topic."""
    group = settings.bridge.group_id
    try:
        members = await _members(admin, group)
        told = await admin.list_consumer_group_offsets(group)
        committed = {tp: one.offset for tp, one in told.items() if one.offset >= 0}
        there = [TopicPartition(name, n) for name in settings.routes.topics for n in range(partitions.get(name, 0))]
        behind = await _behind(settings, partitions, there, committed)
    except KafkaError as error:
        advice = "This account needs Describe on the group, and Read on the topics of commands."
        return [fail(CHECK, f"Kafka does not tell how far {group} has come: {error}", advice)]
    return list(findings(group, members, behind))


def findings(group: str, members: int, behind: Iterable[Behind]) -> Iterator[Finding]:
    """Yield what is to be said of a group."""
    most_first = sorted(behind, key=lambda each: (not each.is_late, -each.lag))
    lag = sum(each.lag for each in most_first)
    count = f"{lag} record(s) are not done"
    if members:
        yield ok(CHECK, f"{group} has {members} member(s); {count}")
    elif lag:
        yield fail(CHECK, f"nobody is in the group {group}, and {count}", "Run `bridge run`.")
    else:
        yield warn(CHECK, f"nobody is in the group {group}", "Run `bridge run`.")
    for each in most_first[:SHOWN_MAX]:
        where = f"{each.topic}/{each.partition}"
        age = "" if each.age is None else f", the oldest since {round(each.age.total_seconds())} s"
        advice = f"`bridge trace {where}/{each.offset}` tells of the oldest."
        detail = f"{where}: {each.lag} record(s) are not done{age}"
        yield warn(LAG_CHECK, detail, advice) if each.is_late else ok(LAG_CHECK, detail)


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    answer: Any
    (answer,) = await admin.describe_consumer_groups([group])
    code, *_, members = answer.groups[0][:6]
    if code:
        refusal: KafkaError = for_code(code)()
        raise refusal
    return len(members)


async def _behind(
    settings: Settings,
    partitions: Mapping[str, int],
    there: list[TopicPartition],
    committed: Mapping[TopicPartition, int],
) -> list[Behind]:
    """Return the partitions in which something is not done; the ages of those that are most behind."""
    options = connect.kafka_options(settings)
    consumer = AIOKafkaConsumer(**options, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        await reader.learn(consumer, settings.routes.topics)
        looking = Reader(consumer, partitions)
        begins, ends = await looking.spans(there)
        done = {tp: max(committed.get(tp, 0), begins[tp]) for tp in there}
        found = [Behind(tp.topic, tp.partition, done[tp], ends[tp] - done[tp]) for tp in there if ends[tp] > done[tp]]
        found.sort(key=lambda each: -each.lag)
        return [await _aged(looking, each) for each in found[:SHOWN_MAX]] + found[SHOWN_MAX:]
    finally:
        await closing.close(consumer)


async def _aged(looking: Reader, behind: Behind) -> Behind:
    record: Record | None = await looking.at(behind.topic, behind.partition, behind.offset)
    if record is None:
        return behind
    age = datetime.now(UTC) - datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
    return dataclasses.replace(behind, age=max(age, timedelta(0)))

"""The Kafka side of the set-up: topics, their partitions and settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from bridge.settings import Settings
from bridge.setup import steps
from topics import spec, tables
from topics.spec import Topic, TopicKind

REPLICAS_MAX = 3  # where the broker does not tell its default

OF_PEOPLE = frozenset({TopicKind.HANDLED, TopicKind.PAUSED})
"""What a person's tools alone write: a daemon does without it."""

_REPLICATION = "default.replication.factor"
_SET_ON_TOPIC = 1  # config_source of DescribeConfigs: a setting of the topic itself, not of its broker
_UNLIMITED = -1
_NUMBERS = ("retention.ms", "max.message.bytes")


def wanted_topics(settings: Settings) -> tuple[Topic, ...]:
    """Return every topic that a daemon with these settings needs."""
    table = settings.routes
    events = (event.topic for domain in tables.DOMAINS if domain.name in settings.domains for event in domain.events)
    replies = dict.fromkeys((tables.REPLIES_TOPIC, *settings.bridge.reply_topics))
    return (
        *(spec.command_topic(name) for name in table.topics),
        *(spec.dead_letter_topic(name) for name in table.topics),
        *(spec.event_topic(name) for name in dict.fromkeys(events)),
        *(spec.lifecycle_topic(name) for name in table.lifecycle_topics),
        *(spec.reply_topic(name) for name in replies),
        spec.feed_topic(settings.bridge.group_id),
        spec.handled_topic(settings.bridge.group_id),
        spec.paused_topic(settings.bridge.group_id),
    )


async def plan(settings: Settings, admin: AIOKafkaAdminClient) -> steps.Plan:
    """Compare the topics that are there with those that are wanted."""
    partitions = await partition_counts(admin)
    wanted = wanted_topics(settings)
    there = tuple(topic for topic in wanted if topic.name in partitions)
    configs = await topic_configs(admin, [topic.name for topic in there])
    found: list[steps.Step] = [steps.CreateTopic(topic) for topic in wanted if topic.name not in partitions]
    notes: list[str] = []
    for topic in there:
        have = partitions[topic.name]
        if have < topic.partitions:
            found.append(steps.AddPartitions(topic, have))
        config = configs.get(topic.name)
        if config is None:
            notes.append(
                f"{topic.name}: this account may not read its settings (DescribeConfigs); they are not checked."
            )
            continue
        changes = weaker(topic, config)
        if changes:
            found.append(steps.StrengthenTopic(topic, changes))
        cleanup = config.get("cleanup.policy", topic.cleanup.value)
        if cleanup != topic.cleanup.value:
            notes.append(
                f"{topic.name}: cleanup.policy is {cleanup}, not {topic.cleanup.value}; "
                "setup leaves it, as a change deletes records. Change it with kafka-configs.sh if nobody needs it so."
            )
    return steps.Plan(steps=tuple(found), notes=tuple(notes))


async def missing_topics(settings: Settings, admin: AIOKafkaAdminClient) -> tuple[Topic, ...]:
    """Return the topics that the daemon needs and that are not there, or not seen by this account."""
    partitions = await partition_counts(admin)
    needed = (topic for topic in wanted_topics(settings) if topic.kind not in OF_PEOPLE)
    return tuple(topic for topic in needed if topic.name not in partitions)


async def carry_out(admin: AIOKafkaAdminClient, step: steps.KafkaStep) -> str | None:
    """Do one step; return why it was refused, if it was."""
    try:
        match step:
            case steps.CreateTopic(topic):
                await _create(admin, topic)
            case steps.AddPartitions(topic):
                await admin.create_partitions({topic.name: NewPartitions(topic.partitions)})
            case steps.StrengthenTopic(topic, changes):
                await _strengthen(admin, topic.name, {key: wanted for key, _, wanted in changes})
    except kafka_errors.KafkaError as error:
        return str(error)
    return None


async def partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """Return the number of partitions of every topic that this account may see."""
    # Asked for all: a request by name makes brokers create the topic where they are told to do that.
    found = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in found if not topic["error_code"]}


async def topic_configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the settings in force of the topics whose settings this account may read."""
    described = await _describe(admin, names)
    return {name: {entry[0]: entry[1] for entry in entries} for name, entries in described.items()}


def weaker(topic: Topic, config: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Return each setting that holds less than the table asks for: its name, its value, the value wanted."""
    return tuple(
        (key, config[key], wanted)
        for key, wanted in topic.config.items()
        if key in config and _is_weaker(key, config[key], wanted)
    )


def _is_weaker(key: str, value: str, wanted: str) -> bool:
    if key in _NUMBERS:
        return int(value) != _UNLIMITED and int(value) < int(wanted)
    return key == "message.timestamp.type" and value != wanted


async def _describe(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, list[Any]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    responses: list[Any] = await admin.describe_configs(resources)
    return {name: entries for response in responses for code, _, _, name, entries in response.resources if not code}


async def _create(admin: AIOKafkaAdminClient, topic: Topic) -> None:
    new = NewTopic(topic.name, topic.partitions, await _replicas(admin), topic_configs=topic.config)
    response: Any = await admin.create_topics([new])
    for _, code, message in response.topic_errors:
        error = kafka_errors.for_code(code)
        if error not in (kafka_errors.NoError, kafka_errors.TopicAlreadyExistsError):  # another one may be faster
            raise error(message or "")


async def _replicas(admin: AIOKafkaAdminClient) -> int:
    """Return how many replicas a topic gets: the broker's default (aiokafka's request cannot say "the default")."""
    cluster = await admin.describe_cluster()
    broker = ConfigResource(ConfigResourceType.BROKER, str(cluster["brokers"][0]["node_id"]), {_REPLICATION: None})
    try:
        responses: list[Any] = await admin.describe_configs([broker])
        return int(responses[0].resources[0][4][0][1])
    except (kafka_errors.KafkaError, IndexError, TypeError, ValueError):  # this account may not ask brokers
        return min(REPLICAS_MAX, len(cluster["brokers"]))


async def _strengthen(admin: AIOKafkaAdminClient, name: str, changes: Mapping[str, str]) -> None:
    # The request replaces every setting of the topic, so those that stay are sent along.
    entries = (await _describe(admin, [name])).get(name, [])
    kept = {entry[0]: entry[1] for entry in entries if entry[3] == _SET_ON_TOPIC}
    resource = ConfigResource(ConfigResourceType.TOPIC, name, {**kept, **changes})
    responses: list[Any] = await admin.alter_configs([resource])
    for response in responses:
        for code, message, *_ in response.resources:
            if code:
                raise kafka_errors.for_code(code)(message or "")

"""What a topic, a command and an event are, and how the topics around a command are named."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from topics.fields import Model

KIB = 1024
MIB = 1024 * KIB

COMMAND_VALUE_BYTES_MAX = 1 * MIB
COMMAND_HEADERS_BYTES_MAX = 64 * KIB
DEAD_LETTER_BYTES_MAX = 2 * MIB

DEAD_LETTER_SUFFIX = ".dlq"
LIFECYCLE_SUFFIX = ".lifecycle"


class TopicKind(StrEnum):
    """What flows through a topic."""

    COMMANDS = "commands"
    DEAD_LETTERS = "dead letters"
    EVENTS = "domain events"
    LIFECYCLE = "lifecycle"
    REPLIES = "replies"
    FEED = "feed"
    HANDLED = "handled dead letters"
    PAUSED = "paused topics"


class Cleanup(StrEnum):
    """Kafka's cleanup.policy."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as `bridge setup apply` makes it; `retention` None means the broker's default."""

    name: str
    kind: TopicKind
    partitions: int = 6
    retention: timedelta | None = timedelta(days=7)
    cleanup: Cleanup = Cleanup.DELETE
    message_bytes_max: int | None = None
    log_append_time: bool = False

    @property
    def config(self) -> dict[str, str]:
        """The topic's settings by their Kafka names."""
        config = {"cleanup.policy": self.cleanup.value}
        if self.retention is not None:
            config["retention.ms"] = str(int(self.retention.total_seconds() * 1000))
        if self.message_bytes_max is not None:
            config["max.message.bytes"] = str(self.message_bytes_max)
        if self.log_append_time:
            config["message.timestamp.type"] = "LogAppendTime"
        return config


def command_topic(name: str) -> Topic:
    """Return the topic that carries commands; the broker stamps its records, as redelivery rules need broker time."""
    return Topic(
        name,
        TopicKind.COMMANDS,
        message_bytes_max=COMMAND_VALUE_BYTES_MAX + COMMAND_HEADERS_BYTES_MAX,
        log_append_time=True,
    )


def dead_letter_topic(command_topic_name: str) -> Topic:
    """Return the dead-letter topic of a command topic."""
    name = command_topic_name + DEAD_LETTER_SUFFIX
    retention = timedelta(days=30)  # people look at these
    return Topic(name, TopicKind.DEAD_LETTERS, retention=retention, message_bytes_max=DEAD_LETTER_BYTES_MAX)


def lifecycle_topic(name: str) -> Topic:
    """Return the topic that announces how runs begin and end."""
    return Topic(name, TopicKind.LIFECYCLE, retention=timedelta(days=30))


def event_topic(name: str) -> Topic:
    """Return the topic of a domain's events."""
    return Topic(name, TopicKind.EVENTS, retention=timedelta(days=30))


def reply_topic(name: str) -> Topic:
    """Return a topic that carries answers to commands."""
    return Topic(name, TopicKind.REPLIES)


def feed_topic(group_id: str) -> Topic:
    """Return the topic that holds the lifecycle feed's owner and watermark."""
    return Topic(f"{group_id}.feed", TopicKind.FEED, partitions=1, retention=None, cleanup=Cleanup.COMPACT)


def handled_topic(group_id: str) -> Topic:
    """Return the topic that tells which dead letters a person has replayed or discarded; it must outlive them."""
    return Topic(f"{group_id}.dlq.handled", TopicKind.HANDLED, partitions=1, retention=None, cleanup=Cleanup.COMPACT)


def paused_topic(group_id: str) -> Topic:
    """Return the topic that tells which command topics a person has paused, for every process of the group."""
    return Topic(f"{group_id}.paused", TopicKind.PAUSED, partitions=1, retention=None, cleanup=Cleanup.COMPACT)


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command: its name (CloudEvents type and topic), its data, and the field that is the record's key."""

    name: str
    model: type[Model]
    key: str


@dataclass(frozen=True, slots=True)
class EventSpec:
    """An event: its name (CloudEvents type), its data, its topic, and what the record is keyed by."""

    name: str
    model: type[Model]
    topic: str
    key: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of ours: commands in, events out."""

    name: str
    commands: tuple[CommandSpec, ...]
    events: tuple[EventSpec, ...]

"""What `bridge setup` may do, as values.

Each step says what it is about (`name`), what it does (`action`), what the account must be allowed (`permission`), what
an operator runs instead (`command`), and whether the daemon cannot run without it (`required`).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal

from topics.spec import Topic

Side = Literal["kafka", "temporal"]


@dataclass(frozen=True, slots=True)
class Servers:
    """The addresses that an operator's command names."""

    kafka: str
    temporal: str
    namespace: str


@dataclass(frozen=True, slots=True)
class CreateTopic:
    """Make a topic with its settings."""

    topic: Topic
    side: ClassVar[Side] = "kafka"
    required: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.topic.name

    @property
    def action(self) -> str:
        config = " ".join(f"{key}={value}" for key, value in self.topic.config.items())
        return f"create topic, partitions={self.topic.partitions} {config}"

    @property
    def permission(self) -> str:
        return f"Create on topic {self.topic.name}, or on the cluster"

    def command(self, servers: Servers) -> str:
        config = "".join(f" --config {key}={value}" for key, value in self.topic.config.items())
        return (
            f"kafka-topics.sh --bootstrap-server {servers.kafka} --create --if-not-exists "
            f"--topic {self.topic.name} --partitions {self.topic.partitions}{config}"
        )


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """Give a topic the partitions that it lacks; the key's partition changes with their number."""

    topic: Topic
    have: int
    side: ClassVar[Side] = "kafka"
    required: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return self.topic.name

    @property
    def action(self) -> str:
        return f"add partitions, {self.have} -> {self.topic.partitions}"

    @property
    def permission(self) -> str:
        return f"Alter on topic {self.topic.name}"

    def command(self, servers: Servers) -> str:
        return (
            f"kafka-topics.sh --bootstrap-server {servers.kafka} --alter "
            f"--topic {self.topic.name} --partitions {self.topic.partitions}"
        )


@dataclass(frozen=True, slots=True)
class StrengthenTopic:
    """Raise settings of a topic that are weaker than the table's."""

    topic: Topic
    changes: tuple[tuple[str, str, str], ...]  # setting, value now, value wanted
    side: ClassVar[Side] = "kafka"
    required: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return self.topic.name

    @property
    def action(self) -> str:
        return "change settings, " + " ".join(f"{key}: {now} -> {wanted}" for key, now, wanted in self.changes)

    @property
    def permission(self) -> str:
        return f"AlterConfigs on topic {self.topic.name}"

    def command(self, servers: Servers) -> str:
        config = ",".join(f"{key}={wanted}" for key, _, wanted in self.changes)
        return (
            f"kafka-configs.sh --bootstrap-server {servers.kafka} --alter --entity-type topics "
            f"--entity-name {self.topic.name} --add-config {config}"
        )


@dataclass(frozen=True, slots=True)
class CreateNamespace:
    """Make the Temporal namespace."""

    name: str
    retention: timedelta
    side: ClassVar[Side] = "temporal"
    required: ClassVar[bool] = True
    permission: ClassVar[str] = "RegisterNamespace (admin of the cluster)"

    @property
    def action(self) -> str:
        return f"create namespace, retention={self.retention.days}d"

    def command(self, servers: Servers) -> str:
        return (
            f"temporal operator namespace create --address {servers.temporal} "
            f"--namespace {self.name} --retention {self.retention.days}d"
        )


@dataclass(frozen=True, slots=True)
class ExtendRetention:
    """Keep closed runs longer: dedupe reaches as far back as they are kept."""

    name: str
    have: timedelta
    retention: timedelta
    side: ClassVar[Side] = "temporal"
    required: ClassVar[bool] = False
    permission: ClassVar[str] = "UpdateNamespace (admin of the namespace)"

    @property
    def action(self) -> str:
        have = self.have / timedelta(days=1)
        return f"extend retention, {have:g}d -> {self.retention.days}d"

    def command(self, servers: Servers) -> str:
        return (
            f"temporal operator namespace update --address {servers.temporal} "
            f"--namespace {self.name} --retention {self.retention.days}d"
        )


@dataclass(frozen=True, slots=True)
class AddSearchAttribute:
    """Register a search attribute with a namespace; None is the one that the daemon is told."""

    name: str
    type: str
    namespace: str | None = None
    side: ClassVar[Side] = "temporal"
    required: ClassVar[bool] = True
    permission: ClassVar[str] = "AddSearchAttributes (operator or admin)"

    @property
    def action(self) -> str:
        where = f", namespace={self.namespace}" if self.namespace is not None else ""
        return f"create search attribute, type={self.type}{where}"

    def command(self, servers: Servers) -> str:
        return (
            f"temporal operator search-attribute create --address {servers.temporal} "
            f"--namespace {self.namespace or servers.namespace} --name {self.name} --type {self.type}"
        )


KafkaStep = CreateTopic | AddPartitions | StrengthenTopic
TemporalStep = CreateNamespace | ExtendRetention | AddSearchAttribute
Step = KafkaStep | TemporalStep


@dataclass(frozen=True, slots=True)
class Plan:
    """What is missing; `conflicts` must be corrected by a person first, `notes` may stay as they are."""

    steps: tuple[Step, ...] = ()
    conflicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """A step that was tried; `refusal` says why it had no effect."""

    step: Step
    refusal: str | None = None

"""What each metric is: its name in OTLP, its unit, what it counts, and by what; all of it bounded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from bridge.telemetry.names import Attribute, Metric

LATENCY_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; what the messaging and RPC conventions advise."""

AGE_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
"""Seconds; a backlog may be hours old."""


class Form(StrEnum):
    """What a metric is made of."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A metric. `labels` are Prometheus's, each with the attribute that it is in OTLP; `bounds` are a histogram's."""

    form: Form
    name: str
    unit: str
    help: str
    labels: Mapping[str, Attribute] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()


TOPIC = {"topic": Attribute.DESTINATION}
PARTITION = {**TOPIC, "partition": Attribute.PARTITION}
OUTCOME = {"outcome": Attribute.OUTCOME}
DESTINATION = {"messaging_destination_name": Attribute.DESTINATION}
OPERATION = {
    "messaging_operation_name": Attribute.OPERATION_NAME,
    "messaging_operation_type": Attribute.OPERATION_TYPE,
}
ERROR = {"error_type": Attribute.ERROR_TYPE}
STATUS = {"rpc_response_status_code": Attribute.RPC_STATUS}


def _counter(name: str, unit: str, words: str, labels: Mapping[str, Attribute] | None = None) -> Instrument:
    return Instrument(Form.COUNTER, name, f"{{{unit}}}", words, labels or {})


def _gauge(name: str, unit: str, words: str, labels: Mapping[str, Attribute] | None = None) -> Instrument:
    return Instrument(Form.GAUGE, name, unit, words, labels or {})


def _seconds(name: str, bounds: tuple[float, ...], words: str, labels: Mapping[str, Attribute]) -> Instrument:
    return Instrument(Form.HISTOGRAM, name, "s", words, labels, bounds)


INSTRUMENTS: Mapping[Metric, Instrument] = MappingProxyType(
    {
        Metric.COMMANDS: _counter(
            "bridge.commands", "command", "Commands that have their outcome, by topic and outcome.", TOPIC | OUTCOME
        ),
        Metric.DEAD_LETTERS: _counter(
            "bridge.dead_letters",
            "record",
            "Records written to dead-letter topics, by topic and reason.",
            {**TOPIC, "reason": Attribute.REASON},
        ),
        Metric.RETRIES: _counter(
            "bridge.retries", "attempt", "Attempts that must be repeated, by cause.", {"cause": Attribute.CAUSE}
        ),
        Metric.EVENT_AGE: _seconds(
            "bridge.event.age",
            AGE_BOUNDS,
            "Time from a command's record to its outcome, by Kafka's clock and ours.",
            TOPIC,
        ),
        Metric.LIFECYCLE_EVENTS: _counter(
            "bridge.lifecycle.events", "event", "Ends of runs announced, by state.", {"state": Attribute.STATE}
        ),
        Metric.IN_FLIGHT: _gauge("bridge.in_flight", "{command}", "Commands that are being carried out."),
        Metric.WAITING: _gauge("bridge.waiting", "{command}", "Commands that are read and have no outcome yet."),
        Metric.LANES: _gauge("bridge.lanes", "{lane}", "Keys that have commands in hand, one lane each."),
        Metric.LANE_DEPTH: _gauge("bridge.lane.depth", "{command}", "Commands in the lane that has most of them."),
        Metric.PAUSED_PARTITIONS: _gauge(
            "bridge.paused_partitions",
            "{partition}",
            "Partitions that are paused: too much waits, a server is away, a topic is stopped.",
        ),
        Metric.LAG: _gauge(
            "bridge.lag.records",
            "{record}",
            "Records of the partitions held that are not done, those that an open transaction holds back included.",
        ),
        Metric.PARTITION_LAG: _gauge(
            "bridge.partition.lag.records", "{record}", "The same of each partition that this process holds.", PARTITION
        ),
        Metric.PARTITION_OFFSET: _gauge(
            "bridge.partition.offset",
            "{record}",
            "Offset of each partition held before which everything is done.",
            PARTITION,
        ),
        Metric.COMMIT_AGE: _gauge(
            "bridge.commit.age", "s", "Time since all that was done was committed; 0 where no partition is held."
        ),
        Metric.ADMISSION_LIMIT: _gauge(
            "bridge.admission.limit",
            "{command}",
            "Commands that may be with Temporal at once; falls when the server asks for less.",
        ),
        Metric.ANSWER_SECONDS: _gauge(
            "bridge.temporal.answer",
            "s",
            "How long Temporal's newest answers to commands took in the mean, updates left out; 0 before the first.",
        ),
        Metric.POLLERS: _gauge(
            "bridge.task_queue.pollers",
            "{worker}",
            "Workers that polled a task queue of our routes for workflows in the last minutes, as Temporal tells.",
            {"namespace": Attribute.NAMESPACE, "task_queue": Attribute.TASK_QUEUE},
        ),
        Metric.FEED_LAG_SECONDS: _gauge(
            "bridge.feed.lag",
            "s",
            "How far the feed is behind, failing or not: the age of the oldest end that is not told, or the time since "
            "the last whole sweep, if that is more; 0 where another instance owns it.",
        ),
        Metric.FEED_GAPS: _counter(
            "bridge.feed.gaps",
            "gap",
            "Times that ends were lost, as nobody swept a namespace for longer than it retains runs.",
            {"namespace": Attribute.NAMESPACE},
        ),
        Metric.WATCHES: _gauge(
            "bridge.watches",
            "{run}",
            "Runs that the owner of the feed looks after one by one: no sweep finds them, or an answer waits.",
        ),
        Metric.WATCHES_LEFT_OUT: _gauge(
            "bridge.watches.left_out", "{run}", "Runs beyond the bound of those; they are taken up when there is room."
        ),
        Metric.CALLBACKS: _counter(
            "bridge.callbacks", "call", "Calls to the callback address, by what became of them.", OUTCOME
        ),
        Metric.CONSUMED: _counter(
            "messaging.client.consumed.messages", "message", "Records that were handled, by topic.", DESTINATION
        ),
        Metric.SENT: _counter(
            "messaging.client.sent.messages",
            "message",
            "Records that commands led to at once and Kafka has acknowledged, by topic.",
            DESTINATION,
        ),
        Metric.PROCESS_DURATION: _seconds(
            "messaging.process.duration",
            LATENCY_BOUNDS,
            "Time from the first try of a command to its outcome, waits between tries included.",
            DESTINATION | ERROR,
        ),
        Metric.OPERATION_DURATION: _seconds(
            "messaging.client.operation.duration",
            LATENCY_BOUNDS,
            "Time until Kafka has acknowledged what is told of a command (send), of a poll with its wait for records "
            "(at most 0.5 s), and of a commit.",
            OPERATION,
        ),
        Metric.RPC_DURATION: _seconds(
            "rpc.client.call.duration",
            LATENCY_BOUNDS,
            "Time of the calls to Temporal that commands need.",
            {"rpc_method": Attribute.RPC_METHOD, **STATUS},
        ),
    }
)

CONSTANTS: Mapping[str, Mapping[Attribute, str]] = MappingProxyType(
    {
        "messaging.": {Attribute.SYSTEM: "kafka"},
        "messaging.client.consumed.messages": {Attribute.OPERATION_NAME: "process"},
        "messaging.client.sent.messages": {Attribute.OPERATION_NAME: "send"},
        "messaging.process.duration": {Attribute.OPERATION_NAME: "process"},
        "rpc.": {Attribute.RPC_SYSTEM: "grpc"},
    }
)
"""Attributes that the conventions ask for and that never change, by the beginning of a metric's name in OTLP."""

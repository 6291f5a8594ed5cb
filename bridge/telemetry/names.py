"""Every log event, metric, span and attribute name, in one place; the docs are rendered from it."""

from enum import StrEnum


class Log(StrEnum):
    """Log events. One line for each thing that a person must know or act on; none for a command that went well."""

    STARTING = "starting"
    CANNOT_START = "cannot start"
    CRASHED = "crashed"
    READY = "ready"
    DRAINING = "draining"
    DRAINED = "drained"
    DRAIN_TIMED_OUT = "drain timed out"
    SETTING_WARNING = "setting warning"
    PARTITIONS_ASSIGNED = "partitions assigned"
    PARTITIONS_REVOKED = "partitions revoked"
    COMMIT_FAILED = "commit failed"
    INTAKE_FAILED = "intake failed"
    RECORDS_EXPIRED = "records expired unread"
    DEAD_LETTER = "dead letter"
    RECORD_ALONE = "record begun alone"
    TOPIC_STOPPED = "topic stopped"
    TOPIC_GOES_ON = "topic goes on"
    CONSUMER_REBUILT = "consumer rebuilt"
    TEMPORAL_AWAY = "temporal away"
    TEMPORAL_BACK = "temporal back"
    TEMPORAL_OVERLOADED = "temporal asks for less"
    KAFKA_AWAY = "kafka away"
    KAFKA_BACK = "kafka back"
    TOPIC_REFUSES = "topic refuses"
    TOPIC_TAKES = "topic takes again"
    MISCONFIGURED = "misconfigured"
    COMMAND_CRASHED = "command crashed"
    PRODUCER_REBUILT = "producer rebuilt"
    FEED_OWNED = "lifecycle feed owned"
    FEED_RELEASED = "lifecycle feed released"
    FEED_FAILED = "lifecycle feed failed"
    FEED_UNKNOWN_ROUTE = "run of an unknown route"
    FEED_CRASHED = "lifecycle feed crashed"
    RUN_REFUSED = "run refused by kafka"
    FEED_GAP = "ends lost to retention"
    WATCHES_FULL = "too many watched runs"
    WATCH_LOST = "watched run is gone"
    ANSWER_FORBIDDEN = "answer to a forbidden topic"
    CALLBACKS_ON = "callbacks on"
    CALLBACKS_BARRED = "callbacks barred"
    CALLBACKS_LOST = "callbacks lost"
    CALLBACKS_MEMORY_FAILED = "callbacks memory failed"
    CALLBACK_REFUSED = "callback refused"
    CALLBACK_CRASHED = "callback crashed"
    EXPORT_FAILED = "telemetry not taken"


class Kind(StrEnum):
    """Kinds of spans that the bridge records."""

    CONSUMER = "CONSUMER"
    CLIENT = "CLIENT"


class Attribute(StrEnum):
    """Attributes of spans and metrics. Those without the prefix `bridge.` are OpenTelemetry's, or Temporal's SDKs'."""

    SYSTEM = "messaging.system"
    OPERATION_NAME = "messaging.operation.name"
    OPERATION_TYPE = "messaging.operation.type"
    DESTINATION = "messaging.destination.name"
    PARTITION = "messaging.destination.partition.id"
    OFFSET = "messaging.kafka.offset"
    GROUP = "messaging.consumer.group.name"
    MESSAGE_ID = "messaging.message.id"
    BODY_SIZE = "messaging.message.body.size"
    EVENT_SOURCE = "cloudevents.event_source"
    EVENT_TYPE = "cloudevents.event_type"
    RPC_SYSTEM = "rpc.system.name"
    RPC_METHOD = "rpc.method"
    RPC_STATUS = "rpc.response.status_code"
    SERVER_ADDRESS = "server.address"
    SERVER_PORT = "server.port"
    ERROR_TYPE = "error.type"
    WORKFLOW_ID = "temporalWorkflowID"
    RUN_ID = "temporalRunID"
    OUTCOME = "bridge.outcome"
    REASON = "bridge.reason"
    ATTEMPTS = "bridge.attempts"


class Metric(StrEnum):
    """Metrics as Prometheus shows them."""

    COMMANDS = "bridge_commands_total"
    DEAD_LETTERS = "bridge_dead_letters_total"
    RETRIES = "bridge_retries_total"
    LIFECYCLE_EVENTS = "bridge_lifecycle_events_total"
    IN_FLIGHT = "bridge_in_flight"
    WAITING = "bridge_waiting"
    PAUSED_PARTITIONS = "bridge_paused_partitions"
    LAG = "bridge_lag_records"
    ADMISSION_LIMIT = "bridge_admission_limit"
    FEED_LAG_SECONDS = "bridge_feed_lag_seconds"
    WATCHES = "bridge_watches"
    WATCHES_LEFT_OUT = "bridge_watches_left_out"
    CALLBACKS = "bridge_callbacks_total"


METRIC_HELP = {
    Metric.COMMANDS: "Commands that have their outcome, by topic and outcome.",
    Metric.DEAD_LETTERS: "Records written to dead-letter topics, by topic and reason.",
    Metric.RETRIES: "Attempts that must be repeated, by cause.",
    Metric.LIFECYCLE_EVENTS: "Lifecycle events written, by state.",
    Metric.IN_FLIGHT: "Commands that are being carried out.",
    Metric.WAITING: "Commands that are read and have no outcome yet.",
    Metric.PAUSED_PARTITIONS: "Partitions that are paused: too much waits, a server is away, a topic is stopped.",
    Metric.LAG: "Records of the partitions held that are not done, those that an open transaction holds back included.",
    Metric.ADMISSION_LIMIT: "Commands that may be with Temporal at once; falls when the server asks for less.",
    Metric.FEED_LAG_SECONDS: "How far the feed is behind, failing or not: the age of the oldest end that is not told, "
    "or the time since the last whole sweep, if that is more; 0 where another instance owns it.",
    Metric.WATCHES: "Runs that the owner of the feed looks after one by one: no sweep finds them, or an answer waits.",
    Metric.WATCHES_LEFT_OUT: "Runs beyond the bound of those; they are taken up when there is room.",
    Metric.CALLBACKS: "Calls to the callback address, by what became of them.",
}

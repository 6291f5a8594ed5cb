"""Every log event, metric, span and attribute name, in one place; the docs are rendered from it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


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
    CREDENTIALS_RENEWED = "credentials renewed"
    CREDENTIALS_REFUSED = "credentials not renewed"
    EXPORT_FAILED = "telemetry not taken"


class Kind(StrEnum):
    """Kinds of spans that the bridge records."""

    CONSUMER = "CONSUMER"
    CLIENT = "CLIENT"


class Operation(StrEnum):
    """What a client does with Kafka, `messaging.operation.name`; `OPERATION_TYPES` says of which type it is."""

    SEND = "send"
    POLL = "poll"
    COMMIT = "commit"


OPERATION_TYPES: Mapping[Operation, str] = MappingProxyType(
    {Operation.SEND: "send", Operation.POLL: "receive", Operation.COMMIT: "settle"}
)
"""`messaging.operation.type` of each, as the messaging conventions have it."""


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
    CAUSE = "bridge.cause"
    STATE = "bridge.state"
    NAMESPACE = "bridge.namespace"
    TASK_QUEUE = "bridge.task_queue"


class Metric(StrEnum):
    """Metrics as Prometheus shows them; `bridge.telemetry.instruments` says what each is, and its name in OTLP."""

    COMMANDS = "bridge_commands_total"
    DEAD_LETTERS = "bridge_dead_letters_total"
    RETRIES = "bridge_retries_total"
    EVENT_AGE = "bridge_event_age_seconds"
    LIFECYCLE_EVENTS = "bridge_lifecycle_events_total"
    IN_FLIGHT = "bridge_in_flight"
    WAITING = "bridge_waiting"
    LANES = "bridge_lanes"
    LANE_DEPTH = "bridge_lane_depth"
    PAUSED_PARTITIONS = "bridge_paused_partitions"
    LAG = "bridge_lag_records"
    PARTITION_LAG = "bridge_partition_lag_records"
    PARTITION_OFFSET = "bridge_partition_offset"
    COMMIT_AGE = "bridge_commit_age_seconds"
    ADMISSION_LIMIT = "bridge_admission_limit"
    ANSWER_SECONDS = "bridge_temporal_answer_seconds"
    POLLERS = "bridge_task_queue_pollers"
    FEED_LAG_SECONDS = "bridge_feed_lag_seconds"
    FEED_GAPS = "bridge_feed_gaps_total"
    WATCHES = "bridge_watches"
    WATCHES_LEFT_OUT = "bridge_watches_left_out"
    CALLBACKS = "bridge_callbacks_total"
    CONSUMED = "messaging_client_consumed_messages_total"
    SENT = "messaging_client_sent_messages_total"
    PROCESS_DURATION = "messaging_process_duration_seconds"
    OPERATION_DURATION = "messaging_client_operation_duration_seconds"
    RPC_DURATION = "rpc_client_call_duration_seconds"

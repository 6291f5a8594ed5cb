"""What the reference pages say beside what the tables know: a text for each variable and each log event.

A test holds the names equal to the tables', so that a new one without a text, or a text without one, is found.
"""

from collections.abc import Mapping
from types import MappingProxyType

from bridge.telemetry.names import Attribute, Log

VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "KAFKA_BOOTSTRAP_SERVERS": "Brokers, separated by commas.",
        "KAFKA_SECURITY_PROTOCOL": "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.",
        "KAFKA_SASL_MECHANISM": "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`.",
        "KAFKA_SASL_USERNAME": "User of `PLAIN` and `SCRAM`.",
        "KAFKA_SASL_PASSWORD": "Password of `PLAIN` and `SCRAM`.",
        "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": "Where `OAUTHBEARER` gets its token, by client credentials.",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_ID": "Client of the token endpoint.",
        "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": "Secret of that client.",
        "KAFKA_SASL_OAUTHBEARER_SCOPE": "Scope to ask the token for.",
        "KAFKA_SSL_CA_LOCATION": "File of trusted certificates; default: the system's.",
        "KAFKA_SSL_CERTIFICATE_LOCATION": "Our certificate, for brokers that ask for one.",
        "KAFKA_SSL_KEY_LOCATION": "Its key.",
        "KAFKA_SSL_KEY_PASSWORD": "The key's password.",
        "KAFKA_GROUP_INSTANCE_ID": (
            "Static membership: another id for each instance; a restart within the session then moves no partition."
        ),
        "KAFKA_SESSION_TIMEOUT_MS": "After how many ms of silence the group gives our partitions to others.",
        "BRIDGE_GROUP_ID": "Consumer group; also the identity that marks runs and owns the lifecycle sweep.",
        "BRIDGE_ADMIN_ADDRESS": "Where health, metrics and the management API are served.",
        "BRIDGE_ADMIN_TOKEN": (
            "Token of the management API: needed off loopback, asked for wherever it is set. Health and metrics need "
            "none."
        ),
        "BRIDGE_CALLBACK_URL": (
            "Base URL at which Temporal reaches the callback address; with it ends are told within milliseconds."
        ),
        "BRIDGE_CALLBACK_ADDRESS": "Where callbacks are listened for, if the URL is set.",
        "BRIDGE_CALLBACK_SECRET": "Signs what callbacks carry; needed with the URL, the same in all processes.",
        "BRIDGE_SWEEP_INTERVAL": "Seconds between two looks for runs that have closed.",
        "BRIDGE_CONNECT_TIMEOUT": "Seconds to wait for each server at start; then exit code 3.",
        "BRIDGE_DRAIN_TIMEOUT": "Seconds to finish what is in hand at the end; then exit code 4.",
        "BRIDGE_MAX_IN_FLIGHT": "Commands that are carried out at the same time.",
        "BRIDGE_MAX_WAITING": (
            "Commands that are read and not done; beyond it partitions pause. The feed holds twice as many closed runs "
            "at once, and twice as many watched ones."
        ),
        "BRIDGE_PAYLOAD_KEYS": (
            "Keys of the payload codec, `ID:KEY` separated by commas or lines, KEY as base64 of 32 bytes: with them "
            "what commands hold is encrypted in Temporal. The first encrypts, all decrypt."
        ),
        "BRIDGE_CODEC_ORIGINS": (
            "Origins, separated by commas, whose pages may ask the codec endpoint: those of Temporal's UI."
        ),
        "BRIDGE_REPLY_TOPICS": "Topics, separated by commas, that a command may name in `replyto`.",
        "WORKERS_DATABASE_URL": "SQLAlchemy URL; PostgreSQL in production.",
        "WORKERS_SMTP_URL": "`smtp[s]://[user:password@]host[:port][?starttls&from=address]`.",
        "WORKERS_CONTENT_URL": "Base URL of an OpenAI-compatible endpoint; without it a template writes.",
        "WORKERS_CONTENT_MODEL": "Model to ask for there.",
        "WORKERS_CONTENT_API_KEY": "Key to log in there.",
        "WORKERS_CHANNEL_SEARCH_URL": "Where `search` content is posted; without it, the database keeps it.",
        "WORKERS_CHANNEL_SOCIAL_URL": "The same for `social`.",
        "WORKERS_CHANNEL_DISPLAY_URL": "The same for `display`.",
        "WORKERS_INVOICE_APPROVAL_OVER": "An invoice whose total exceeds it waits for `invoice.approve`.",
    }
)

LOG_EVENTS: Mapping[Log, str] = MappingProxyType(
    {
        Log.STARTING: "The process has read its settings and connects.",
        Log.CANNOT_START: "`problem` says what to correct; the process leaves with 2 or 3.",
        Log.CRASHED: "A defect of the bridge; the process leaves with 1. Please report it, with `exception`.",
        Log.READY: "The consumer group is joined; `/readyz` answers 200 from here on.",
        Log.DRAINING: "SIGTERM or SIGINT came: no new record is taken.",
        Log.DRAINED: "Everything in hand is finished and committed.",
        Log.DRAIN_TIMED_OUT: (
            "`BRIDGE_DRAIN_TIMEOUT` was not enough; `in_hand` commands are redelivered, without a second effect."
        ),
        Log.SETTING_WARNING: "A setting is strange, such as an unknown `KAFKA_` name.",
        Log.PARTITIONS_ASSIGNED: "The group gave this process partitions.",
        Log.PARTITIONS_REVOKED: "The group took them away; what was in hand is finished first.",
        Log.COMMIT_FAILED: "Offsets were not committed; the next commit covers them. Often: look at the brokers.",
        Log.INTAKE_FAILED: "Reading commands fails; `problem` says why. Not ready until it works.",
        Log.RECORDS_EXPIRED: (
            "Kafka deleted records before the group came to them: `first` to `last` of `topic`, `partition`. They are "
            "lost to the bridge. Give the topic a longer retention, and keep the group running."
        ),
        Log.DEAD_LETTER: "A record went to its dead-letter topic: `reason`, `topic`, `partition`, `offset`.",
        Log.RECORD_ALONE: (
            "Owners before us told of nothing done, so this record is begun with nothing beside it: `topic`, "
            "`partition`, `offset`, `tries`. The second process waits 2 s before it does; the third puts it aside, "
            "unread."
        ),
        Log.TOPIC_STOPPED: (
            "The last 100 records of `topic` were bad: it pauses for `seconds`, the others go on. Mend its producer."
        ),
        Log.TOPIC_GOES_ON: "A topic that was stopped has a sound record again.",
        Log.CONSUMER_REBUILT: "The consumer made no progress (`reason`) and was replaced; nothing is lost.",
        Log.TEMPORAL_OVERLOADED: (
            "Temporal refuses requests as too many (RESOURCE_EXHAUSTED): fewer are with it at once (`at_once_now`), "
            "and they are tried again. At most once a minute. If it lasts, raise its limits."
        ),
        Log.TEMPORAL_AWAY: "Temporal does not answer; commands wait, nothing is lost. Not ready until it does.",
        Log.TEMPORAL_BACK: "Temporal answers again.",
        Log.KAFKA_AWAY: "Kafka does not acknowledge; commands wait. Not ready until it does.",
        Log.KAFKA_BACK: "Kafka acknowledges again.",
        Log.TOPIC_REFUSES: (
            "A topic takes no records: it is missing, or this account may not write it. Records for it wait, others go "
            "on. Not ready until it does."
        ),
        Log.TOPIC_TAKES: "That topic takes records again.",
        Log.MISCONFIGURED: "Temporal refuses us (namespace, permission): a person corrects it; commands wait.",
        Log.COMMAND_CRASHED: "A defect of the bridge: that command's key is held and tried again. Please report it.",
        Log.PRODUCER_REBUILT: "The producer met a fatal error and was replaced.",
        Log.FEED_OWNED: "This process sweeps for runs that have closed.",
        Log.FEED_RELEASED: "Another process sweeps now, or will.",
        Log.FEED_FAILED: "The sweep fails; `problem` says why. What closes meanwhile is found later.",
        Log.CALLBACKS_ON: "Temporal takes callbacks again, or they arrive again: ends are told at once.",
        Log.CALLBACKS_BARRED: (
            "Temporal takes no start with a callback (`reason`), so starts go without, and the sweep tells ends. Tried "
            "again after 5 minutes."
        ),
        Log.CALLBACKS_LOST: (
            "No callback came for many ends in a row: Temporal cannot reach the URL, or bars it. The sweep tells ends "
            "until one arrives."
        ),
        Log.CALLBACKS_MEMORY_FAILED: "The lifecycle topics cannot be read; callbacks are put off until they can be.",
        Log.CALLBACK_REFUSED: (
            "Something called the callback address in vain: `reason`; `calls` since the last such line, one a minute."
        ),
        Log.CALLBACK_CRASHED: "A defect of the bridge; the sweep tells that end. Please report it.",
        Log.CREDENTIALS_RENEWED: (
            "Temporal has taken the new certificates or API key; all goes on over a new connection."
        ),
        Log.CREDENTIALS_REFUSED: (
            "The files of Temporal's certificates or API key have changed, and cannot be used (`problem`): the old "
            "ones go on to be used, the new ones are tried again every 5 s."
        ),
        Log.EXPORT_FAILED: "The OTLP endpoint takes none of `what` (spans, metrics); `lost` since the last such line, "
        "one a minute. Commands go on.",
        Log.FEED_UNKNOWN_ROUTE: "A closed run was begun by a route that this process does not have; not announced.",
        Log.ANSWER_FORBIDDEN: "A run has ended whose mark names a reply topic that is not allowed, or not any more.",
        Log.WATCH_LOST: "Retention took a run before its end was seen: its chain is lost, nobody is answered.",
        Log.FEED_CRASHED: "A defect of the bridge, in the sweep, which is tried again. Please report it.",
        Log.RUN_REFUSED: (
            "What `workflow_id`, `run_id` has to tell is such that Kafka never takes it (`error`: too large, or a time "
            "that is too far off): it is not announced, the others are."
        ),
        Log.FEED_GAP: "Nobody swept `namespace` since `announced_until`, longer than it retains runs: ends are lost.",
        Log.WATCHES_FULL: "More than `watches` runs are looked after one by one; the rest waits until half are done.",
    }
)

ATTRIBUTES: Mapping[Attribute, str] = MappingProxyType(
    {
        Attribute.SYSTEM: "`kafka`.",
        Attribute.OPERATION_NAME: "`process`; of metrics also `send`, `poll`, `commit`.",
        Attribute.OPERATION_TYPE: "`process`.",
        Attribute.DESTINATION: "The topic.",
        Attribute.PARTITION: "The partition.",
        Attribute.OFFSET: "The offset.",
        Attribute.GROUP: "`BRIDGE_GROUP_ID`.",
        Attribute.MESSAGE_ID: "The command's id.",
        Attribute.BODY_SIZE: "Bytes of the value, which itself is told nowhere.",
        Attribute.EVENT_SOURCE: "The command's source.",
        Attribute.EVENT_TYPE: "The command's type.",
        Attribute.RPC_SYSTEM: "`grpc`.",
        Attribute.RPC_METHOD: "The call that takes effect; a try may look at the run before.",
        Attribute.RPC_STATUS: "The gRPC status; of metrics.",
        Attribute.SERVER_ADDRESS: "The first broker, or Temporal's address.",
        Attribute.SERVER_PORT: "Its port.",
        Attribute.ERROR_TYPE: "Why it failed: a dead letter's reason, or what must be tried again for.",
        Attribute.WORKFLOW_ID: "The workflow id, as Temporal's SDKs have it.",
        Attribute.RUN_ID: "The run id, as Temporal's SDKs have it.",
        Attribute.OUTCOME: "`accepted`, `duplicate`, `rejected`, `dead_lettered`.",
        Attribute.REASON: "Why it was rejected or dead-lettered.",
        Attribute.ATTEMPTS: "How often it was tried.",
        Attribute.CAUSE: "What a try must be repeated for; of metrics.",
        Attribute.STATE: "The state that a lifecycle event tells; of metrics.",
        Attribute.NAMESPACE: "The Temporal namespace; of metrics.",
        Attribute.TASK_QUEUE: "The task queue; of metrics.",
    }
)

"""The FastStream broker and its one subscriber over all command topics, without a handler.

FastStream starts and stops the consumer; the poll loop is ours (`bridge.intake.intake`). Its handler path would lose
or hot-loop failed records, commit what is not done, and drop records whose header values are null or not UTF-8.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import LogicSubscriber
from faststream.middlewares import AckPolicy
from faststream.security import BaseSecurity, SASLOAuthBearer, SASLPlaintext, SASLScram256, SASLScram512

from bridge.intake import inflation
from topics.environment.sections import KafkaSection

FETCH_BYTES_MAX = 16 * 1024 * 1024
REBALANCE_TIMEOUT_MS = 60_000  # what is in hand is finished within it
POLL_INTERVAL_MAX_MS = 300_000
# What the client's fetcher waits for wakes it; its looks in between, each 200 ms as it comes, cost 0.2 % of a core.
FETCHER_LOOK_MS = 1_000

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


def broker(section: KafkaSection, options: dict[str, Any]) -> KafkaBroker:
    """Return the broker; `options` are those of `bridge.connect.kafka_options`."""
    inflation.bound()
    return KafkaBroker(
        str(options["bootstrap_servers"]).split(","),
        security=_security(section, options),
        # FastStream's own word for the mechanism does not carry it.
        sasl_oauth_token_provider=options.get("sasl_oauth_token_provider"),
        consumer_only=True,
        client_id="kafka-temporal-bridge",
        logger=None,
    )


def subscriber(
    broker: KafkaBroker,
    topics: Sequence[str],
    group_id: str,
    section: KafkaSection,
    listener: ConsumerRebalanceListener,
) -> LogicSubscriber[Any]:
    """Declare the subscriber of the group."""
    return broker.subscriber(
        *topics,
        group_id=group_id,
        group_instance_id=section.group_instance_id,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=section.session_timeout_ms,
        heartbeat_interval_ms=section.session_timeout_ms // 3,
        rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        max_poll_interval_ms=POLL_INTERVAL_MAX_MS,
        fetch_max_bytes=FETCH_BYTES_MAX,
        consumer_timeout_ms=FETCHER_LOOK_MS,
        listener=listener,
    )


def _security(section: KafkaSection, options: dict[str, Any]) -> BaseSecurity:
    context = options.get("ssl_context")
    if "sasl_mechanism" not in options:
        return BaseSecurity(ssl_context=context)
    if options["sasl_mechanism"] == "OAUTHBEARER":
        return SASLOAuthBearer(ssl_context=context, use_ssl=context is not None)
    return _SASL[str(section.sasl_mechanism)](
        username=options["sasl_plain_username"],
        password=options["sasl_plain_password"],
        ssl_context=context,
        use_ssl=context is not None,
    )

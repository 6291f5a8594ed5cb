"""Reach Kafka and Temporal at start: wait within the connect time, and tell what a person must correct."""

from bridge.connect.kafka import broker_apis, kafka_admin, kafka_options, kafka_refusal, wait_for_kafka
from bridge.connect.renewal import Renewal
from bridge.connect.temporal import in_namespace, in_namespaces, temporal_client, temporal_config

__all__ = [
    "Renewal",
    "broker_apis",
    "in_namespace",
    "in_namespaces",
    "kafka_admin",
    "kafka_options",
    "kafka_refusal",
    "temporal_client",
    "temporal_config",
    "wait_for_kafka",
]

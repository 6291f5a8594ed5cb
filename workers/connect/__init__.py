"""Reach Temporal, Kafka and the database within the connect time."""

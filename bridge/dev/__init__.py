"""The embedded stack: Apache Kafka, Temporal, a mail sink, the daemon and its workers on this machine."""
